use super::*;
use clap::Parser;

#[derive(Parser)]
struct Program {
    #[command(flatten)]
    config: Config,
}

fn parse(flags: &[&str]) -> Result<Config, clap::Error> {
    Program::try_parse_from([&["program"], flags].concat()).map(|program| program.config)
}

#[test]
fn no_flags_are_the_defaults() {
    assert_eq!(
        format!("{:?}", parse(&[]).unwrap()),
        format!("{:?}", Config::default())
    );
}

#[test]
fn flags_reach_the_aws_side() {
    let config = parse(&["--sweep-interval-seconds", "60", "--quota-share", "0.5"]).unwrap();
    let connector = config.connector(Permit::always());
    assert_eq!(connector.timing.sweep_interval, Duration::from_mins(1));
    assert!((connector.quota_share - 0.5).abs() < f64::EPSILON);
}

#[test]
fn namespaces_are_separated_by_commas() {
    let config = parse(&["--watch-namespaces", "team-a,team-b"]).unwrap();
    assert_eq!(config.watch_namespaces, ["team-a", "team-b"]);
}

#[test]
fn leader_election_is_off_unless_asked_for() {
    assert!(!parse(&[]).unwrap().leader_elect);
    let config = parse(&["--leader-elect", "--lease-namespace", "operators"]).unwrap();
    assert!(config.leader_elect);
    assert_eq!(config.lease_namespace.as_deref(), Some("operators"));
    assert_eq!(config.lease_name, "privateservice-operator");
}

#[test]
fn values_out_of_range_are_refused() {
    for flags in [
        ["--quota-share", "0"],
        ["--quota-share", "1.1"],
        ["--quota-share", "NaN"],
        ["--sweep-interval-seconds", "0"],
        ["--sweep-interval-seconds", "86401"],
        ["--admin-address", "8080"],
        ["--log-format", "xml"],
        ["--cluster-id", "a b"],
        ["--cluster-id", ""],
    ] {
        assert!(parse(&flags).is_err(), "{flags:?} was taken");
    }
}

#[test]
fn every_flag_has_an_environment_variable_named_after_it() {
    let command = <Program as clap::CommandFactory>::command();
    let flags: Vec<_> = command
        .get_arguments()
        .filter(|arg| arg.get_id() != "help")
        .collect();
    assert!(flags.len() >= 10);
    for arg in flags {
        let flag = arg.get_long().unwrap();
        let expected = format!("PRIVATESERVICE_{}", flag.to_uppercase().replace('-', "_"));
        assert_eq!(
            arg.get_env().and_then(|name| name.to_str()),
            Some(expected.as_str())
        );
    }
}
