//! Options that this version must not ignore: ignoring them would do the opposite of what they ask.

use ferrolb_provider::{Options, Problem};

use crate::keys::{ID, INSTANCE_RECLAIM_POLICY, KEEP_EIP};
use crate::spec::Balancer;

/// A problem for each option that asks for something to stay; `balancer` is what was read of the
/// others, `None` where they are wrong.
pub(crate) fn refuse(options: &Options, balancer: Option<&Balancer>) -> Vec<Problem> {
    let value = |key: &str| options.get(key).map_or("", |v| v.trim());
    let is = |key: &str, words: &[&str]| words.iter().any(|w| value(key).eq_ignore_ascii_case(w));
    // What the user brought stays anyway.
    let makes_balancer = match balancer {
        Some(balancer) => matches!(balancer, Balancer::New(_)),
        None => value(ID).is_empty(),
    };
    let makes_eip = makes_balancer && !matches!(balancer, Some(Balancer::New(new)) if new.public.is_none());

    let mut problems = Vec::new();
    let mut refuse = |key: &str, why: &str, valid: &str| {
        problems.push(Problem {
            option: key.to_owned(),
            at: String::new(),
            message: format!("\"{}\" is not supported yet, and {why}", value(key)),
            valid: valid.to_owned(),
        });
    };
    if makes_balancer && !is(INSTANCE_RECLAIM_POLICY, &["", "alwaysDelete"]) {
        let valid = format!("alwaysDelete; or a load balancer of your own by {ID}, which stays");
        refuse(INSTANCE_RECLAIM_POLICY, "what should stay would be deleted with the Service", &valid);
    }
    if makes_eip && !is(KEEP_EIP, &["", "false", "off", "0"]) {
        let valid = format!("false; or a load balancer of your own with its EIP by {ID}, which both stay");
        refuse(KEEP_EIP, "what should stay would be deleted with the Service", &valid);
    }
    problems
}
