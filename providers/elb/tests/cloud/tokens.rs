//! A user with a password instead of keys.

use std::time::Duration;

use ferrolb_elb::{Credentials, User};
use ferrolb_mock::Config;
use ferrolb_provider::ProviderError;

use crate::harness::{World, owner, union};

fn user(config: &Config, password: &str) -> Credentials {
    Credentials::User(User {
        name: config.user_name.clone(),
        password: password.to_owned().into(),
        domain: config.domain_name.clone(),
        agency: None,
    })
}

#[tokio::test]
async fn a_service_lives_through_several_tokens() {
    let config = Config { token_lifetime: Duration::from_secs(1), ..Config::default() };
    let user = user(&config, &config.password);
    let world = World::signed_in(config, user).await;
    world.converge(&union()).await;
    assert_eq!(world.counts(), [1, 1, 1, 1, 3, 1]);
    tokio::time::sleep(Duration::from_millis(1100)).await;
    world.converge(&union()).await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    world.release(&owner()).await;
    assert_eq!(world.counts(), [0; 6]);
}

#[tokio::test]
async fn a_wrong_password_is_said_to_be_one_and_nothing_else_is_called() {
    let config = Config::default();
    let user = user(&config, "wrong");
    let world = World::signed_in(config, user).await;
    let outcome = world.pass(&union()).await;
    let error = &outcome.failures[0].error;
    assert!(matches!(error, ProviderError::Denied(_)), "{error}");
    assert!(error.to_string().contains("POST /v3/auth/tokens: The username or password is wrong"), "{error}");
    assert_eq!(world.calls(), (0, 1), "one sign-in");
}
