//! Requests for each task and minute, minute by minute: the threshold, 95 % of it, what counts as none, and what as no data.

use super::{Scaled, counts};
use aws_sim::Load;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// With ports of these names.
async fn at(tasks: i32, ports: &[&str], scaling: &Value) -> Scaled {
    let listed: Vec<Value> = (8080..)
        .zip(ports)
        .map(|(number, port)| json!({"name": port, "port": number, "protocol": "http"}))
        .collect();
    let spec = json!({"ports": listed, "scaling": scaling});
    let scaled = Scaled::http(ports, &spec).await;
    Box::pin(scaled.at_work(tasks)).await
}

/// Requests of the whole service in a minute, and the CPU that tasks report.
fn load(requests: f64, cpu: Option<f64>) -> Load {
    Load {
        cpu_percent: cpu,
        requests_per_minute: BTreeMap::from([("api_default".to_owned(), requests)]),
        ..Load::default()
    }
}

fn of_requests(threshold: i32) -> Value {
    json!({"cpuThreshold": 0, "requestThreshold": threshold})
}

#[tokio::test]
async fn more_above_the_threshold_and_fewer_below_95_percent_of_it() {
    let scaled = at(2, &["default"], &of_requests(30)).await;
    let reporting = |requests| load(requests, Some(10.0));
    // 30 and 28.5 for each of the two.
    for requests in [60.0, 58.0, 57.0] {
        assert_eq!(
            scaled.minutes(&reporting(requests), 12),
            [2; 12],
            "{requests}"
        );
    }
    let window = [56.0, 56.0, 56.0, 56.0, 57.0, 56.0, 56.0, 56.0, 56.0, 56.0];
    assert_eq!(
        scaled.walk(window.map(reporting)),
        counts(&[(2, 9), (1, 1)])
    );
    let high = [31.0, 31.0, 30.0, 31.0, 31.0, 31.0];
    assert_eq!(scaled.walk(high.map(reporting)), [1, 1, 1, 1, 1, 2]);
}

/// 95 % of a threshold need not be a whole number of requests.
#[tokio::test]
async fn a_threshold_may_be_a_fraction_of_a_request() {
    // 0.95 and 6.65 for each of 4.
    for (threshold, calm, low) in [(1, 4.0, 3.0), (7, 27.0, 26.0)] {
        let scaled = at(4, &["default"], &of_requests(threshold)).await;
        let reporting = |requests| load(requests, Some(10.0));
        let counted = scaled.minutes(&reporting(calm), 10);
        assert_eq!(counted, [4; 10], "{threshold}");
        let counted = scaled.minutes(&reporting(low), 5);
        assert_eq!(counted, [4, 4, 4, 4, 3], "{threshold}");
    }
}

#[tokio::test]
async fn ports_are_summed() {
    let scaled = at(2, &["default", "admin"], &of_requests(100)).await;
    let both = |first: f64, second: f64| Load {
        cpu_percent: Some(10.0),
        requests_per_minute: BTreeMap::from([
            ("api_default".to_owned(), first),
            ("api_admin".to_owned(), second),
        ]),
        ..Load::default()
    };
    // One of them alone is above 95 for each of the two tasks, or both together; a quiet one has no data.
    for calm in [both(191.0, 0.0), both(0.0, 200.0), both(90.0, 105.0)] {
        assert_eq!(scaled.minutes(&calm, 10), [2; 10], "{calm:?}");
    }
    assert_eq!(scaled.minutes(&both(120.0, 81.0), 3), [2, 2, 3]);
    assert_eq!(
        scaled.minutes(&both(150.0, 134.0), 6),
        counts(&[(3, 5), (2, 1)])
    );
}

/// No request is no data of requests; as long as tasks report there is nothing to do.
#[tokio::test]
async fn a_night_without_requests_shrinks() {
    let night = |cpu| load(0.0, Some(cpu));
    let scaled = at(4, &["default"], &of_requests(100)).await;
    let shrunk = counts(&[(4, 4), (3, 6), (2, 6), (1, 104)]);
    assert_eq!(scaled.minutes(&night(90.0), 120), shrunk);
    let morning = scaled.minutes(&load(126.0, Some(10.0)), 3);
    assert_eq!(morning, [1, 1, 2]);

    let with_cpu = json!({"requestThreshold": 100});
    let scaled = at(4, &["default"], &with_cpu).await;
    assert_eq!(
        scaled.minutes(&night(78.0), 30),
        [4; 30],
        "but not a busy CPU"
    );
    assert_eq!(scaled.minutes(&night(2.0), 120), shrunk);
}

/// Requests of nobody knows how many tasks are neither many nor few.
#[tokio::test]
async fn tasks_without_data_are_no_data() {
    let scaled = at(3, &["default"], &of_requests(100)).await;
    for requests in [0.0, 3.0, 250.0, 9000.0] {
        let counted = scaled.minutes(&load(requests, None), 15);
        assert_eq!(counted, [3; 15], "{requests}");
    }
}
