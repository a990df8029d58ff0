//! Forwarding policies of HTTP listeners, and their rules.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Cloud, Refusal, quota};

/// A forwarding policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct L7Policy {
    pub id: String,
    pub listener_id: String,
    pub action: L7Action,
    pub redirect_pool_id: Option<String>,
    pub redirect_listener_id: Option<String>,
    /// Fields that are kept and echoed but rule nothing here.
    pub extra: Map<String, Value>,
}

/// Where a request goes that a policy matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum L7Action {
    RedirectToPool,
    RedirectToListener,
    RedirectToUrl,
    FixedResponse,
}

/// A condition of a policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct L7Rule {
    pub id: String,
    pub policy_id: String,
    pub kind: L7RuleType,
    pub extra: Map<String, Value>,
}

/// What part of a request a rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum L7RuleType {
    HostName,
    Path,
    Method,
    Header,
    QueryString,
    SourceIp,
    Cookie,
}

impl Cloud {
    /// `new` without its id.
    pub fn create_l7policy(&mut self, now: Timestamp, new: L7Policy) -> Result<String, Refusal> {
        let listener = self.listener(&new.listener_id)?;
        if !listener.protocol.is_http() {
            let reason = format!("a {} listener forwards nothing by content", listener.protocol.name());
            return Err(Refusal::invalid("listener_id", reason));
        }
        quota::check("l7policy", self.quotas.l7policy, self.l7policies.len(), 1)?;
        self.check_redirect(&new)?;
        let id = self.new_id();
        self.l7policies.insert(id.clone(), now, L7Policy { id: id.clone(), ..new });
        self.touch();
        Ok(id)
    }

    /// The targets that are given displace the old ones; the action stays.
    pub fn update_l7policy(
        &mut self,
        now: Timestamp,
        id: &str,
        pool: Option<String>,
        listener: Option<String>,
        extra: Map<String, Value>,
    ) -> Result<(), Refusal> {
        let mut new = self.find::<L7Policy>(id)?.clone();
        new.redirect_pool_id = pool.or(new.redirect_pool_id);
        new.redirect_listener_id = listener.or(new.redirect_listener_id);
        new.extra.extend(extra);
        self.check_redirect(&new)?;
        let changed = self.l7policies.update(id, now, |policy| *policy = new);
        self.touch_if(changed);
        Ok(())
    }

    /// Its rules go with it.
    pub fn delete_l7policy(&mut self, now: Timestamp, id: &str) -> Result<(), Refusal> {
        self.find::<L7Policy>(id)?;
        self.drop_l7policy(now, id);
        Ok(())
    }

    pub(super) fn drop_l7policy(&mut self, now: Timestamp, id: &str) {
        for rule in self.l7rules_of(id) {
            self.l7rules.remove(&rule, now);
        }
        self.l7policies.remove(id, now);
        self.touch();
    }

    /// `new` without its id.
    pub fn create_l7rule(&mut self, now: Timestamp, new: L7Rule) -> Result<String, Refusal> {
        self.find::<L7Policy>(&new.policy_id)?;
        let id = self.new_id();
        self.l7rules.insert(id.clone(), now, L7Rule { id: id.clone(), ..new });
        self.touch();
        Ok(id)
    }

    pub fn update_l7rule(
        &mut self,
        now: Timestamp,
        policy: &str,
        id: &str,
        extra: Map<String, Value>,
    ) -> Result<(), Refusal> {
        self.l7rule(policy, id)?;
        let changed = self.l7rules.update(id, now, |rule| rule.extra.extend(extra));
        self.touch_if(changed);
        Ok(())
    }

    pub fn delete_l7rule(&mut self, now: Timestamp, policy: &str, id: &str) -> Result<(), Refusal> {
        self.l7rule(policy, id)?;
        self.l7rules.remove(id, now);
        self.touch();
        Ok(())
    }

    pub fn l7rule(&self, policy: &str, id: &str) -> Result<&L7Rule, Refusal> {
        self.find::<L7Policy>(policy)?;
        let rule = self.find::<L7Rule>(id)?;
        if rule.policy_id == policy { Ok(rule) } else { Err(Refusal::not_found("L7 Rule", id)) }
    }

    pub fn l7policies_of(&self, listener: &str) -> Vec<String> {
        let policies = self.l7policies.iter().filter(|(_, policy)| policy.listener_id == listener);
        policies.map(|(id, _)| id.clone()).collect()
    }

    pub fn l7policies_to(&self, pool: &str) -> Vec<String> {
        let policies = self.l7policies.iter().filter(|(_, policy)| policy.redirect_pool_id.as_deref() == Some(pool));
        policies.map(|(id, _)| id.clone()).collect()
    }

    pub fn l7rules_of(&self, policy: &str) -> Vec<String> {
        self.l7rules.iter().filter(|(_, rule)| rule.policy_id == policy).map(|(id, _)| id.clone()).collect()
    }

    /// The target that the action needs is there, on the same load balancer.
    fn check_redirect(&self, policy: &L7Policy) -> Result<(), Refusal> {
        let home = &self.listener(&policy.listener_id)?.loadbalancer_id;
        let there = match policy.action {
            L7Action::RedirectToPool => {
                let id = policy.redirect_pool_id.as_ref().ok_or(Refusal::Missing("redirect_pool_id"))?;
                self.pool(id)?.loadbalancer_id.as_ref()
            }
            L7Action::RedirectToListener => {
                let id = policy.redirect_listener_id.as_ref().ok_or(Refusal::Missing("redirect_listener_id"))?;
                Some(&self.listener(id)?.loadbalancer_id)
            }
            L7Action::RedirectToUrl if !policy.extra.contains_key("redirect_url_config") => {
                return Err(Refusal::Missing("redirect_url_config"));
            }
            L7Action::FixedResponse if !policy.extra.contains_key("fixed_response_config") => {
                return Err(Refusal::Missing("fixed_response_config"));
            }
            L7Action::RedirectToUrl | L7Action::FixedResponse => None,
        };
        if there.is_some_and(|there| there != home) {
            return Err(Refusal::Conflict("the target belongs to another load balancer".into()));
        }
        Ok(())
    }
}
