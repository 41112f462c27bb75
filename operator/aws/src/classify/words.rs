//! AWS's messages without what changes from call to call. Pure.

/// A message for status: one line, without request ids, session names and addresses of the SDK.
pub(crate) fn readable(message: &str) -> String {
    let message = match message.find("(Service: ") {
        Some(at) => &message[..at],
        None => message,
    };
    let words: Vec<&str> = message.split_whitespace().collect();
    let mut kept: Vec<&str> = Vec::with_capacity(words.len());
    for word in words {
        if is_request_id(word) {
            drop_label(&mut kept);
        } else {
            kept.push(word);
        }
    }
    let text = kept.join(" ");
    // "User: arn:aws:sts::1:assumed-role/operator/<session> is not authorized to perform: ..." names the session, which is another
    // one after each start.
    let text = match text.find("is not authorized to perform") {
        Some(at) if text.starts_with("User: ") => format!("The operator's role {}", &text[at..]),
        _ => text,
    };
    text.chars().take(MAX_LENGTH).collect()
}

/// Longer messages are cut; a condition's message may hold 32768 characters, an Event's 1024.
const MAX_LENGTH: usize = 600;

/// True for a UUID, alone or with punctuation around it.
fn is_request_id(word: &str) -> bool {
    let core = word
        .rsplit([':', '='])
        .next()
        .unwrap_or(word)
        .trim_matches(|character: char| !character.is_ascii_hexdigit());
    let groups: Vec<&str> = core.split('-').collect();
    groups.len() == 5
        && groups.iter().zip([8, 4, 4, 4, 12]).all(|(group, length)| {
            group.len() == length && group.chars().all(|character| character.is_ascii_hexdigit())
        })
}

/// Removes "Request ID:" and the like before a request id.
fn drop_label(kept: &mut Vec<&str>) {
    while kept.last().is_some_and(|word| {
        let word = word
            .trim_matches(|character: char| !character.is_alphanumeric())
            .to_lowercase();
        matches!(word.as_str(), "request" | "id" | "requestid")
    }) {
        kept.pop();
    }
}
