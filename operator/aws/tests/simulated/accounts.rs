//! Roles in other accounts, and other Regions: each call lands where its key says.

use crate::world::{World, edit};
use aws_sim::{Options, Simulator, Trust};
use privateservice_api::conditions::Reason;
use privateservice_api::environment::AssumeRole;
use privateservice_aws::{Account, AccountKey};
use std::sync::Arc;

const ROLE: &str = "arn:aws:iam::444455556666:role/services";

fn key(region: &str, external_id: Option<&str>) -> AccountKey {
    AccountKey {
        region: region.into(),
        role: Some(AssumeRole {
            role_arn: ROLE.into(),
            external_id: external_id.map(str::to_owned),
        }),
    }
}

async fn caller(account: &Arc<Account>) -> Result<String, privateservice_core::failure::Failure> {
    account.caller_account(edit()).await
}

/// A world with that account in two Regions beside its own.
async fn with_neighbours() -> (World, Vec<Simulator>) {
    let world = World::new().await;
    let neighbours: Vec<Simulator> = ["us-east-1", "eu-west-1"]
        .map(|region| {
            Simulator::new(Options {
                account: "444455556666".into(),
                region: region.into(),
                ..Options::default()
            })
            .unwrap()
        })
        .into();
    for other in &neighbours {
        world.sim.add_neighbour(other.clone());
    }
    (world, neighbours)
}

#[tokio::test]
async fn each_call_goes_to_the_account_of_its_role_and_to_its_region() {
    let (world, neighbours) = with_neighbours().await;
    let trust = Trust {
        external_id: Some("shop-42".into()),
    };
    world.sim.trust(ROLE, Some(trust));
    world.sim.reset_log();
    for (place, region) in ["us-east-1", "eu-west-1"].into_iter().enumerate() {
        let account = world.link.connector.account(&key(region, Some("shop-42")));
        assert_eq!(caller(&account).await.unwrap(), "444455556666");
        assert_eq!(neighbours[place].counts()["sts:GetCallerIdentity"], 1);
    }
    assert_eq!(world.sim.counts()["sts:AssumeRole"], 2);
    assert_eq!(world.sim.counts().len(), 1, "{:?}", world.sim.counts());
    // A session is used until it is about to expire, and its role's account shares one set of limits.
    let again = world
        .link
        .connector
        .account(&key("eu-west-1", Some("shop-42")));
    caller(&again).await.unwrap();
    assert_eq!(world.sim.counts()["sts:AssumeRole"], 2);
    assert_eq!(caller(&world.link.account).await.unwrap(), "111122223333");
}

#[tokio::test]
async fn a_role_that_cannot_be_assumed_says_so_and_works_once_it_can() {
    let (world, neighbours) = with_neighbours().await;
    let wanted = Trust {
        external_id: Some("shop-42".into()),
    };
    world.sim.trust(ROLE, Some(wanted));
    let account = world
        .link
        .connector
        .account(&key("us-east-1", Some("wrong")));
    let failure = caller(&account).await.unwrap_err();
    assert_eq!(failure.reason(), Reason::CredentialsError);
    let message = failure.to_string();
    for words in [
        ROLE,
        "is not authorized to perform: sts:AssumeRole",
        "trust policy",
        "with this external id",
    ] {
        assert!(message.contains(words), "{words} is not in: {message}");
    }
    assert!(neighbours[0].counts().is_empty());
    world.sim.trust(ROLE, Some(Trust::default()));
    assert_eq!(caller(&account).await.unwrap(), "444455556666");
}

#[tokio::test]
async fn roles_of_one_account_share_its_limits_and_other_accounts_do_not() {
    let (world, _) = with_neighbours().await;
    let other_role = AccountKey {
        role: Some(AssumeRole {
            role_arn: "arn:aws:iam::444455556666:role/others".into(),
            external_id: None,
        }),
        ..key("us-east-1", None)
    };
    let connector = &world.link.connector;
    let one = connector.account(&key("us-east-1", None));
    let shares = |other: &AccountKey| Arc::ptr_eq(one.limits(), connector.account(other).limits());
    assert!(shares(&other_role));
    assert!(!shares(&key("eu-west-1", None)));
    assert!(!Arc::ptr_eq(one.limits(), world.link.account.limits()));
}
