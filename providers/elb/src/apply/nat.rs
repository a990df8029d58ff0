//! DNAT rules. A rule is pointed to another node, or moved to another EIP, in one call.

use ferrolb_provider::{Detail, Item, ProviderError, Resource, Seen, State, Step, Verb};
use serde_json::{Value, json};

use super::{Apply, Found, Result, final_refusal, impossible, stray};
use crate::client::elb::by;
use crate::client::nat::RuleJson;
use crate::client::{PORT_TAKEN, TARGET_TAKEN};
use crate::list::addresses;
use crate::resource::{DnatRule, ElbResource, PoolKey, Target};
use crate::{mark, observe};

impl Apply<'_> {
    pub(super) async fn rule(
        &self,
        rule: &DnatRule,
        step: &Step<ElbResource>,
        item: &Item<ElbResource>,
    ) -> Result<Vec<Found>> {
        match (step.verb, &item.seen, step.parents.as_slice()) {
            (Verb::Delete, Some(seen), _) => self.delete_rule(rule, seen).await,
            (Verb::Create | Verb::Update, seen, [eip, _]) => Ok(vec![self.point(rule, seen.as_ref(), eip).await?]),
            _ => Err(impossible(item)),
        }
    }

    /// The cloud takes its time, and the EIP is not free before: what it still shows is not gone.
    async fn delete_rule(&self, rule: &DnatRule, seen: &Found) -> Result<Vec<Found>> {
        let going = State::Pending("PENDING_DELETE".into());
        if seen.state != going {
            self.client.delete_rule(&rule.gateway, &seen.id.0).await?;
        }
        match self.client.rule(&seen.id.0).await {
            Ok(_) => Ok(vec![Seen { state: going, ..seen.clone() }]),
            Err(ProviderError::NotFound(_)) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Makes or changes a rule, so that it points to the first node that may be had: a port of a node can be the target
    /// of one rule only.
    async fn point(&self, rule: &DnatRule, seen: Option<&Found>, eip: &Found) -> Result<Found> {
        let PoolKey::Port(protocol, port) = rule.key else {
            return Err(stray(&rule.key));
        };
        let kept = seen.and_then(|s| match &s.resource {
            ElbResource::DnatRule(found) => rule.kept(found),
            _ => None,
        });
        let others = rule.targets.iter().filter(|t| Some(*t) != kept);
        let mut refused = None;
        for target in kept.into_iter().chain(others) {
            let nic = match self.nic(target).await {
                Ok(nic) => nic,
                Err(error @ ProviderError::Refused(_)) => {
                    refused = Some(error);
                    continue;
                }
                Err(error) => return Err(error),
            };
            let body = json!({
                "nat_gateway_id": rule.gateway,
                "floating_ip_id": eip_id(eip),
                "external_service_port": port,
                "protocol": protocol.to_string().to_ascii_lowercase(),
                "port_id": nic,
                "internal_service_port": target.port,
                "description": mark::description(self.owner),
            });
            match self.send_rule(seen, body).await {
                Ok(json) => {
                    let mut found = observe::rule(&json, self.owner, &[(nic, target.address)].into());
                    found.owned = true;
                    found.parents.push(eip.id.clone());
                    return Ok(found);
                }
                Err(error) if has_code(&error, TARGET_TAKEN) => refused = Some(error),
                Err(error) if has_code(&error, PORT_TAKEN) => return self.holder(rule, eip, error).await,
                Err(error) => return Err(final_refusal(error)),
            }
        }
        let nowhere = || {
            let message = "no node may take the traffic".to_owned();
            ProviderError::Refused(Detail { call: rule.key.to_string(), message, ..Detail::default() })
        };
        Err(refused.unwrap_or_else(nowhere))
    }

    async fn send_rule(&self, seen: Option<&Found>, body: Value) -> Result<RuleJson> {
        match seen {
            Some(seen) => self.client.update_rule(&seen.id.0, body).await,
            None => self.client.create_rule(body).await,
        }
    }

    /// The network interface of a node: in the nodes' subnet, where several have its address.
    async fn nic(&self, target: &Target) -> Result<String> {
        let filter = by("fixed_ips", &format!("ip_address={}", target.address));
        let mut nics = self.client.nics(filter).await?;
        if nics.len() > 1 {
            let subnet = &self.config.member_subnet_id;
            nics.retain(|nic| nic.fixed_ips.iter().any(|ip| ip.subnet_id == *subnet));
        }
        match nics.as_slice() {
            [nic] => Ok(nic.id.clone()),
            all => {
                let message = format!(
                    "{} network interfaces in this project have the node's address {}, so a rule cannot point to it",
                    all.len(),
                    target.address
                );
                Err(ProviderError::Refused(Detail { call: "GET /v2.0/ports".into(), message, ..Detail::default() }))
            }
        }
    }

    /// The rule that has the port already, if it is ours: an earlier call made it and its answer was lost. Otherwise
    /// who has it.
    async fn holder(&self, rule: &DnatRule, eip: &Found, error: ProviderError) -> Result<Found> {
        let PoolKey::Port(protocol, port) = rule.key else {
            return Err(error);
        };
        let mut filter = by("floating_ip_id", eip_id(eip));
        filter.extend(by("external_service_port", &port.to_string()));
        let mut all = self.client.rules(filter).await?;
        all.retain(|json| json.protocol.eq_ignore_ascii_case(&protocol.to_string()));
        let nics = addresses(&self.client, all.iter().map(|json| &json.port_id)).await?;
        let slot = ElbResource::DnatRule(rule.clone()).slot();
        let mut found = all.iter().map(|json| observe::rule(json, self.owner, &nics));
        if let Some(mut seen) = found.find(|seen| seen.owned && seen.resource.slot() == slot) {
            seen.parents.push(eip.id.clone());
            return Ok(seen);
        }
        let mut detail = error.detail().clone();
        let Some(other) = all.first() else {
            // The list lags behind, or a rule for all ports has it.
            detail.message = format!("{protocol} port {port} is taken, it does not show by whom: {}", detail.message);
            return Err(ProviderError::Unavailable(detail));
        };
        let whose = match mark::owner_in(&other.description) {
            Some(owner) => format!("the Service {}/{}", owner.namespace, owner.name),
            None => "something that is not ours".to_owned(),
        };
        let ip = &other.floating_ip_address;
        detail.message = format!("{protocol} port {port} of EIP {ip} is taken by DNAT rule {} of {whose}", other.id);
        Err(ProviderError::Refused(detail))
    }
}

fn eip_id(eip: &Found) -> &str {
    match &eip.resource {
        ElbResource::PublicAddress(found) => found.id.as_deref().unwrap_or_default(),
        _ => &eip.id.0,
    }
}

fn has_code(error: &ProviderError, codes: &[&str]) -> bool {
    error.detail().code.as_deref().is_some_and(|code| codes.contains(&code))
}
