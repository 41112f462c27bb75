//! Rules on a new PrivateService, all but the sizes.

use super::{ACCEPTED, Case, Kind, check, dry_run};

pub(super) const BASE: &str = "source: {image: {name: 'redis:alpine'}}";

#[tokio::test]
async fn source() {
    let cases: &[Case<'_>] = &[
        ("", ACCEPTED),
        ("source: null", &["spec.source: Required value"]),
        (
            "source: {image: null}",
            &["source.image is required: write source: {image: {name:"],
        ),
        (
            "source: {image: {name: null}}",
            &["spec.source.image.name: Required value"],
        ),
        (
            "source: {image: {name: ''}}",
            &["spec.source.image.name", "at least 1 chars long"],
        ),
        (
            "source: {image: {name: 'redis alpine'}}",
            &["spec.source.image.name", "should match"],
        ),
        (
            "source: {image: {name: 'localhost:5000/a/b_c@sha256:0123'}}",
            ACCEPTED,
        ),
    ];
    check(Kind::Service, BASE, cases).await;
}

const SECRET: &str = "arn:aws:secretsmanager:us-east-1:111122223333:secret:registry-AbCdEf";

/// Whether they are granted is the operator's to judge.
#[tokio::test]
async fn references_to_what_the_platform_team_has() {
    let private =
        |arn: &str| format!("source: {{image: {{name: 'a:1', credentialsSecretArn: '{arn}'}}}}");
    let secret = private(SECRET);
    let pattern = private(&SECRET.replace("-AbCdEf", "*"));
    let key = private(&format!("{SECRET}:password::"));
    let cases: &[Case<'_>] = &[
        (&secret, ACCEPTED),
        (
            &pattern,
            &["spec.source.image.credentialsSecretArn", "should match"],
        ),
        (
            &key,
            &["spec.source.image.credentialsSecretArn", "should match"],
        ),
        (
            "source: {image: {name: 'a:1', credentialsSecretArn: registry}}",
            &["spec.source.image.credentialsSecretArn", "should match"],
        ),
        (
            "taskRoleArn: 'arn:aws-cn:iam::111122223333:role/path/orders'",
            ACCEPTED,
        ),
        ("taskRoleArn: orders", &["spec.taskRoleArn", "should match"]),
        (
            "taskRoleArn: 'arn:aws:iam::111122223333:role/*'",
            &["spec.taskRoleArn", "should match"],
        ),
        (
            "taskRoleArn: 'arn:aws:iam::111122223333:user/orders'",
            &["spec.taskRoleArn", "should match"],
        ),
        (
            "network: {extraSecurityGroupIds: [sg-1, sg-2, sg-3]}",
            ACCEPTED,
        ),
        (
            "network: {extraSecurityGroupIds: [sg-1, sg-2, sg-3, sg-4]}",
            &["spec.network.extraSecurityGroupIds", "at most 3 items"],
        ),
        (
            "network: {extraSecurityGroupIds: [sg-1, sg-1]}",
            &["spec.network.extraSecurityGroupIds[1]: Duplicate value"],
        ),
        (
            "network: {extraSecurityGroupIds: [default]}",
            &["spec.network.extraSecurityGroupIds[0]", "should match"],
        ),
    ];
    check(Kind::Service, BASE, cases).await;
}

#[tokio::test]
async fn ports() {
    let cases: &[Case<'_>] = &[
        ("ports: []", ACCEPTED),
        ("ports: [{name: default, port: 8080}]", ACCEPTED),
        (
            "ports: [{name: a, port: 1, protocol: grpc}, {name: b, port: 65535, protocol: tcp}]",
            ACCEPTED,
        ),
        (
            "ports: [{name: a, port: 0}]",
            &["spec.ports[0].port", "greater than or equal to 1"],
        ),
        (
            "ports: [{name: a, port: 65536}]",
            &["spec.ports[0].port", "less than or equal to 65535"],
        ),
        (
            "ports: [{name: a}]",
            &["spec.ports[0].port: Required value"],
        ),
        (
            "ports: [{port: 80}]",
            &["spec.ports[0].name: Required value"],
        ),
        (
            "ports: [{name: a, port: 80}, {name: b, port: 80}]",
            &["port numbers must be unique"],
        ),
        (
            "ports: [{name: a, port: 80}, {name: a, port: 81}]",
            &["spec.ports[1]: Duplicate value"],
        ),
        (
            "ports: [{name: a-name-too-long-, port: 80}]",
            &["spec.ports[0].name", "not be more than 15"],
        ),
        (
            "ports: [{name: Web, port: 80}]",
            &["spec.ports[0].name", "should match"],
        ),
        (
            "ports: [{name: a, port: 80, protocol: udp}]",
            &["Unsupported value: \"udp\"", "\"grpc\""],
        ),
        (
            "ports: [{name: a, port: 80, protocol: http, requestTimeoutSeconds: 0}]",
            ACCEPTED,
        ),
        (
            "ports: [{name: a, port: 80, idleTimeoutSeconds: 60}]",
            ACCEPTED,
        ),
        (
            "ports: [{name: a, port: 80, requestTimeoutSeconds: 5}]",
            &[
                "spec.ports[0].requestTimeoutSeconds",
                "write one of them, or use idleTimeoutSeconds",
            ],
        ),
        (
            "ports: [{name: a, port: 80, protocol: tcp, requestTimeoutSeconds: 5}]",
            &["requestTimeoutSeconds needs protocol http, http2 or grpc"],
        ),
        (
            "ports: [{name: a, port: 80, idleTimeoutSeconds: -1}]",
            &["idleTimeoutSeconds", "or equal to 0"],
        ),
    ];
    check(Kind::Service, BASE, cases).await;
}

#[tokio::test]
async fn health_check() {
    let cases: &[Case<'_>] = &[
        ("healthCheck: {command: redis-cli ping}", ACCEPTED),
        ("healthCheck: {exec: [redis-cli, ping]}", ACCEPTED),
        (
            "healthCheck: {command: a, intervalSeconds: 5, timeoutSeconds: 2, retries: 1}",
            ACCEPTED,
        ),
        (
            "healthCheck: {command: a, intervalSeconds: 300, timeoutSeconds: 120, retries: 10, \
             startPeriodSeconds: 300}",
            ACCEPTED,
        ),
        (
            "healthCheck: {intervalSeconds: 5}",
            &["write exactly one of command and exec"],
        ),
        (
            "healthCheck: {command: a, exec: [a]}",
            &["write exactly one of command and exec"],
        ),
        (
            "healthCheck: {exec: []}",
            &["spec.healthCheck.exec", "at least 1"],
        ),
        (
            "healthCheck: {command: a, intervalSeconds: 4}",
            &["or equal to 5"],
        ),
        (
            "healthCheck: {command: a, intervalSeconds: 301}",
            &["or equal to 300"],
        ),
        (
            "healthCheck: {command: a, timeoutSeconds: 1}",
            &["or equal to 2"],
        ),
        (
            "healthCheck: {command: a, timeoutSeconds: 121}",
            &["timeoutSeconds", "or equal to 120"],
        ),
        ("healthCheck: {command: a, retries: 0}", &["or equal to 1"]),
        (
            "healthCheck: {command: a, retries: 11}",
            &["or equal to 10"],
        ),
        (
            "healthCheck: {command: a, startPeriodSeconds: 301}",
            &["or equal to 300"],
        ),
    ];
    check(Kind::Service, BASE, cases).await;
}

#[tokio::test]
async fn words_numbers_and_switches() {
    let cases: &[Case<'_>] = &[
        (
            "{architecture: ARM, spot: Always, deletionPolicy: Retain, suspend: true}",
            ACCEPTED,
        ),
        (
            "architecture: arm64",
            &["Unsupported value: \"arm64\": supported values: \"X86\", \"ARM\""],
        ),
        (
            "spot: Sometimes",
            &["supported values: \"Never\", \"Always\", \"Flex\""],
        ),
        (
            "spot: true",
            &["spec.spot", "\"Never\", \"Always\", \"Flex\""],
        ),
        (
            "deletionPolicy: Keep",
            &["supported values: \"Delete\", \"Retain\""],
        ),
        ("stopTimeoutSeconds: 2", ACCEPTED),
        (
            "stopTimeoutSeconds: 1",
            &["spec.stopTimeoutSeconds", "or equal to 2"],
        ),
        ("stopTimeoutSeconds: 121", &["or equal to 120"]),
        (
            "environment: Staging",
            &["spec.environment", "should match"],
        ),
        (
            "{network: {dns: false}, restartOnExit: false, logging: {cloudWatch: {}}}",
            ACCEPTED,
        ),
        ("{exec: true, adopt: true}", ACCEPTED),
        (
            "logging: {}",
            &[
                "spec.logging",
                "write cloudWatch: {}, datadog: {...}, axiom: {...} or fluentBit: {...}",
            ],
        ),
        (
            "logging: {cloudWatch: {}, axiom: {dataset: a, token: {awsSecretRef: {id: 'arn:aws:secretsmanager:us-east-1:111122223333:secret:a'}}}}",
            &["logging takes exactly one destination"],
        ),
        (
            "logging: {datadog: {apiKey: {awsSecretRef: {id: 'arn:aws:secretsmanager:us-east-1:111122223333:secret:a-AbCdEf', key: k}}, tags: ['team:a']}}",
            ACCEPTED,
        ),
        (
            "logging: {datadog: {apiKey: {awsSecretRef: {id: data dog}}}}",
            &["apiKey.awsSecretRef.id", "write the name of a secret"],
        ),
        (
            "logging: {datadog: {apiKey: abc}}",
            &["spec.logging.datadog.apiKey", "must be of type object"],
        ),
        (
            "logging: {axiom: {dataset: 'a b', token: {}}}",
            &["axiom.dataset", "should match"],
        ),
        (
            "logging: {axiom: {dataset: a, token: {}}}",
            &["write awsSecretRef: {id: "],
        ),
        (
            "logging: {fluentBit: {options: {host: a}}}",
            &["write options: {Name: http, ...}"],
        ),
        (
            "logging: {fluentBit: {options: {Name: a, b: c}, secretOptions: {b: {awsSecretRef: {id: 'arn:aws:secretsmanager:us-east-1:111122223333:secret:a'}}}}}",
            &["not in both"],
        ),
    ];
    check(Kind::Service, BASE, cases).await;
}

#[tokio::test]
async fn env() {
    let cases: &[Case<'_>] = &[
        (
            "env: [{name: A, value: ''}, {name: discovery.type, value: single-node}]",
            ACCEPTED,
        ),
        (
            "env: [{name: A, valueFrom: {serviceRef: {name: cache, port: default, format: url}}}]",
            ACCEPTED,
        ),
        (
            "env: [{name: A, valueFrom: {serviceRef: {name: cache}}}]",
            ACCEPTED,
        ),
        (
            "env: [{name: A}]",
            &["spec.env[0]", "write exactly one of value and valueFrom"],
        ),
        (
            "env: [{name: A, value: b, valueFrom: {serviceRef: {name: cache}}}]",
            &["write exactly one of value and valueFrom"],
        ),
        (
            "env: [{name: A, valueFrom: {}}]",
            &["write valueFrom: {serviceRef: {name: cache}}"],
        ),
        (
            "env: [{name: A, valueFrom: {awsSecretRef: {id: 'arn:aws:secretsmanager:us-east-1:111122223333:secret:db-AbCdEf', \
             key: url, versionId: 9d4cb84b-ad69-40c0-a0ab-cead36b967e8}}}]",
            ACCEPTED,
        ),
        (
            "env: [{name: A, valueFrom: {serviceRef: {name: cache}, \
             awsSecretRef: {id: 'arn:aws:secretsmanager:us-east-1:111122223333:secret:db-AbCdEf'}}}]",
            &["valueFrom takes exactly one source"],
        ),
        (
            "env: [{name: A, valueFrom: {ssmParameterRef: {name: /shop/flag}}}, {name: B, valueFrom: {ssmParameterRef: {name: flag}}}]",
            ACCEPTED,
        ),
        (
            "env: [{name: A, valueFrom: {ssmParameterRef: {name: shop/flag}}}]",
            &["ssmParameterRef.name", "should match"],
        ),
        (
            "env: [{name: A, valueFrom: {awsSecretRef: {id: orders/db, key: url}}}]",
            ACCEPTED,
        ),
        (
            "env: [{name: A, valueFrom: {awsSecretRef: {id: 'orders db'}}}]",
            &[
                "awsSecretRef.id",
                "write the name of a secret in Secrets Manager, such as orders/db, or its whole ARN",
            ],
        ),
        (
            "env: [{name: A, valueFrom: {awsSecretRef: {id: 'arn:aws:ssm:us-east-1:111122223333:parameter/db'}}}]",
            &["awsSecretRef.id", "or its whole ARN"],
        ),
        (
            "env: [{name: A, valueFrom: {awsSecretRef: {id: 'arn:aws:secretsmanager:us-east-1:111122223333:secret:db-AbCdEf', \
             versionId: AWSCURRENT}}}]",
            &["awsSecretRef.versionId"],
        ),
        (
            "env: [{name: A, valueFrom: {configMapKeyRef: {name: shop.v2, key: mode}}}]",
            ACCEPTED,
        ),
        (
            "envFrom: [{configMapRef: {name: shop}}, {prefix: SHOP_, configMapRef: {name: shop}}]",
            ACCEPTED,
        ),
        (
            "env: [{name: A, valueFrom: {configMapKeyRef: {name: shop}}}]",
            &["configMapKeyRef.key: Required value"],
        ),
        (
            "env: [{name: A, valueFrom: {configMapKeyRef: {name: Shop, key: mode}}}]",
            &["configMapKeyRef.name", "should match"],
        ),
        (
            "envFrom: [{prefix: A}]",
            &[
                "spec.envFrom[0]",
                "write envFrom: [{configMapRef: {name: shop}}]",
            ],
        ),
        (
            "envFrom: [{prefix: 1A, configMapRef: {name: shop}}]",
            &["spec.envFrom[0].prefix", "should match"],
        ),
        (
            "env: [{name: A, value: 1}]",
            &["spec.env[0].value", "must be of type string"],
        ),
        (
            "env: [{name: A, value: b}, {name: A, value: c}]",
            &["spec.env[1]: Duplicate value"],
        ),
        (
            "env: [{name: 1A, value: b}]",
            &["spec.env[0].name", "should match"],
        ),
        (
            "env: [{name: A=B, value: b}]",
            &["spec.env[0].name", "should match"],
        ),
        (
            "env: [{name: A, valueFrom: {serviceRef: {name: cache, format: address}}}]",
            &["supported values: \"host\", \"port\", \"hostPort\", \"url\""],
        ),
        (
            "env: [{name: A, valueFrom: {serviceRef: {name: cache.team-b}}}]",
            &["serviceRef.name", "should match"],
        ),
    ];
    check(Kind::Service, BASE, cases).await;
}

#[tokio::test]
async fn rollout() {
    let write = "write minHealthyPercent: 100 and maxPercent: 200, or minHealthyPercent: 0 and maxPercent: 100";
    let refused: &[&str] = &["spec.rollout", write];
    let cases: &[Case<'_>] = &[
        ("rollout: {}", ACCEPTED),
        (
            "rollout: {circuitBreaker: {enabled: true, rollback: false}}",
            ACCEPTED,
        ),
        ("rollout: {minHealthyPercent: 50}", ACCEPTED),
        ("rollout: {minHealthyPercent: 0, maxPercent: 100}", ACCEPTED),
        ("rollout: {minHealthyPercent: 50, maxPercent: 150}", refused),
        ("rollout: {maxPercent: 199}", refused),
        (
            "rollout: {minHealthyPercent: 100, maxPercent: 100}",
            refused,
        ),
        (
            "rollout: {minHealthyPercent: 101}",
            &["minHealthyPercent", "or equal to 100"],
        ),
        (
            "rollout: {minHealthyPercent: 0, maxPercent: 99}",
            &["maxPercent", "or equal to 100"],
        ),
        (
            "rollout: {maxPercent: 201}",
            &["maxPercent", "or equal to 200"],
        ),
    ];
    check(Kind::Service, BASE, cases).await;
}

#[tokio::test]
async fn tags() {
    let reserved: &[&str] = &["spec.tags", "must not start with flexstack.dev/ or aws:"];
    let long_key = format!("tags: {{{}: x}}", "k".repeat(129));
    let many: Vec<String> = (0..21).map(|n| format!("k{n}: v")).collect();
    let too_many = format!("tags: {{{}}}", many.join(", "));
    let cases: &[Case<'_>] = &[
        ("tags: {team: a, 'cost center': '', flexstack: x}", ACCEPTED),
        ("tags: {flexstack.dev/owner: me}", reserved),
        ("tags: {'aws:created': me}", reserved),
        ("tags: {'größe/teil': 'a+b = c-d_e.f:g@h'}", ACCEPTED),
        (
            "tags: {team: 'R&D'}",
            &["spec.tags", "write them without the rest"],
        ),
        (
            "tags: {'R&D': team}",
            &["spec.tags", "write them without the rest"],
        ),
        ("tags: {'AWS:created': me}", reserved),
        (&long_key, &["tag keys have 1 to 128 characters"]),
        (&too_many, &["spec.tags", "must have at most 20 items"]),
    ];
    check(Kind::Service, BASE, cases).await;
}

#[tokio::test]
async fn names() {
    let api = Kind::Service.api().await;
    let longest = format!("a{}", "b".repeat(47));
    let too_long = format!("a{}", "b".repeat(48));
    for (name, accepted) in [
        ("a", true),
        ("a-1", true),
        (longest.as_str(), true),
        (too_long.as_str(), false),
        ("1a", false),
        ("a.b", false),
    ] {
        let mut object = Kind::Service.object(&super::yaml(BASE));
        object.metadata.generate_name = None;
        object.metadata.name = Some(name.into());
        match api.create(&dry_run(), &object).await {
            Ok(_) => assert!(accepted, "{name} was accepted"),
            Err(kube::Error::Api(status)) => {
                assert!(!accepted, "{name} was refused: {}", status.message);
                let words = "metadata.name: write a name of at most 48 characters";
                assert!(status.message.contains(words), "{name}: {}", status.message);
            }
            Err(other) => panic!("{name}: {other}"),
        }
    }
}
