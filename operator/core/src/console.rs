//! Links into the AWS console. Pure; nothing depends on them but people.

/// A log stream in CloudWatch Logs.
pub fn log_stream(partition: Option<&str>, region: &str, group: &str, stream: &str) -> String {
    let (base, group) = (logs(partition, region), escaped(group));
    format!("{base}/log-group/{group}/log-events/{}", escaped(stream))
}

/// A log group in CloudWatch Logs, cut down to the streams whose names begin so.
pub fn log_streams(partition: Option<&str>, region: &str, group: &str, prefix: &str) -> String {
    let (base, group) = (logs(partition, region), escaped(group));
    // The console's own form: a query in the fragment, whose `?` and `=` are escaped once.
    format!(
        "{base}/log-group/{group}$3FlogStreamNameFilter$3D{}",
        escaped(prefix)
    )
}

fn logs(partition: Option<&str>, region: &str) -> String {
    let console = match partition {
        Some("aws-cn") => "console.amazonaws.cn",
        Some("aws-us-gov") => "console.amazonaws-us-gov.com",
        Some(_) | None => "console.aws.amazon.com",
    };
    format!("https://{region}.{console}/cloudwatch/home?region={region}#logsV2:log-groups")
}

/// The console reads names in its fragment after decoding them twice, with `$` for `%`.
fn escaped(name: &str) -> String {
    name.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                char::from(byte).to_string()
            }
            _ => format!("$25{byte:02X}"),
        })
        .collect()
}
