//! The table of calls, and the way from a method and a path to a handler.

use serde_json::Value;

use super::answer::{Answer, Family};
use super::request::{Context, Query, Request};
use super::{
    bandwidths, batch, catalogue, certificates, crud, eip_v1, eip_v3, elb_v2, iam, ipgroups, l7policies, legacy,
    listeners, loadbalancers, members, monitors, nat, neutron, pools, statuses, tags, vpc, whitelists,
};
use crate::state::{
    Certificate, Eip, IpGroup, Job, L7Policy, Listener, LoadBalancer, Member, Monitor, NatGateway, Pool, Refusal,
    SecurityPolicy, Whitelist,
};

pub type Handler = fn(&mut Context, &Request) -> Result<Answer, Refusal>;

/// One call of the API.
pub struct Route {
    pub method: &'static str,
    /// `{pid}` is the project id, checked before the handler; other placeholders become parameters.
    pub template: &'static str,
    family: Family,
    handler: Handler,
}

/// A route, and what the placeholders stood for.
pub struct Found {
    pub route: &'static Route,
    project: Option<String>,
    params: Vec<String>,
}

/// First match wins: literal segments stand before placeholders.
static ROUTES: &[Route] = &[
    elb("GET", "/v3/{pid}/elb/loadbalancers", loadbalancers::list),
    elb("POST", "/v3/{pid}/elb/loadbalancers", loadbalancers::create),
    elb("POST", "/v3/{pid}/elb/loadbalancers/batch-create", batch::create_balancers),
    elb("POST", "/v3/{pid}/elb/loadbalancers/batch-delete", batch::delete_balancers),
    elb("GET", "/v3/{pid}/elb/loadbalancers/{id}", loadbalancers::show),
    elb("PUT", "/v3/{pid}/elb/loadbalancers/{id}", loadbalancers::update),
    elb("DELETE", "/v3/{pid}/elb/loadbalancers/{id}", loadbalancers::delete),
    elb("GET", "/v3/{pid}/elb/loadbalancers/{id}/statuses", statuses::show),
    elb("DELETE", "/v3/{pid}/elb/loadbalancers/{id}/force-elb", loadbalancers::force_delete),
    elb("POST", "/v3/{pid}/elb/loadbalancers/{id}/delete-cascade", loadbalancers::cascade_delete),
    elb("POST", "/v3/{pid}/elb/loadbalancers/{id}/availability-zone/batch-add", batch::add_zones),
    elb("POST", "/v3/{pid}/elb/loadbalancers/{id}/availability-zone/batch-remove", batch::remove_zones),
    elb("GET", "/v3/{pid}/elb/jobs", crud::list::<Job>),
    elb("GET", "/v3/{pid}/elb/jobs/{id}", crud::show::<Job>),
    elb("GET", "/v3/{pid}/elb/listeners", listeners::list),
    elb("POST", "/v3/{pid}/elb/listeners", listeners::create),
    elb("POST", "/v3/{pid}/elb/listeners/batch-delete", batch::delete_listeners),
    elb("GET", "/v3/{pid}/elb/listeners/{id}", listeners::show),
    elb("PUT", "/v3/{pid}/elb/listeners/{id}", listeners::update),
    elb("DELETE", "/v3/{pid}/elb/listeners/{id}", listeners::delete),
    elb("DELETE", "/v3/{pid}/elb/listeners/{id}/force", listeners::force_delete),
    elb("GET", "/v3/{pid}/elb/pools", pools::list),
    elb("POST", "/v3/{pid}/elb/pools", pools::create),
    elb("POST", "/v3/{pid}/elb/pools/batch-delete", batch::delete_pools),
    elb("GET", "/v3/{pid}/elb/pools/{id}", pools::show),
    elb("PUT", "/v3/{pid}/elb/pools/{id}", pools::update),
    elb("DELETE", "/v3/{pid}/elb/pools/{id}", pools::delete),
    elb("DELETE", "/v3/{pid}/elb/pools/{id}/delete-cascade", pools::cascade_delete),
    elb("GET", "/v3/{pid}/elb/pools/{id}/members", members::list),
    elb("POST", "/v3/{pid}/elb/pools/{id}/members", members::create),
    elb("POST", "/v3/{pid}/elb/pools/{id}/members/batch-add", members::batch_add),
    elb("POST", "/v3/{pid}/elb/pools/{id}/members/batch-update", members::batch_update),
    elb("POST", "/v3/{pid}/elb/pools/{id}/members/batch-delete", members::batch_delete),
    elb("GET", "/v3/{pid}/elb/pools/{id}/members/{member}", members::show),
    elb("PUT", "/v3/{pid}/elb/pools/{id}/members/{member}", members::update),
    elb("DELETE", "/v3/{pid}/elb/pools/{id}/members/{member}", members::delete),
    elb("GET", "/v3/{pid}/elb/members", members::list_all),
    elb("GET", "/v3/{pid}/elb/healthmonitors", monitors::list),
    elb("POST", "/v3/{pid}/elb/healthmonitors", monitors::create),
    elb("GET", "/v3/{pid}/elb/healthmonitors/{id}", monitors::show),
    elb("PUT", "/v3/{pid}/elb/healthmonitors/{id}", monitors::update),
    elb("DELETE", "/v3/{pid}/elb/healthmonitors/{id}", monitors::delete),
    elb("GET", "/v3/{pid}/elb/l7policies", crud::list::<L7Policy>),
    elb("POST", "/v3/{pid}/elb/l7policies", l7policies::create),
    elb("GET", "/v3/{pid}/elb/l7policies/{id}", crud::show::<L7Policy>),
    elb("PUT", "/v3/{pid}/elb/l7policies/{id}", l7policies::update),
    elb("DELETE", "/v3/{pid}/elb/l7policies/{id}", l7policies::delete),
    elb("GET", "/v3/{pid}/elb/l7policies/{id}/rules", l7policies::list_rules),
    elb("POST", "/v3/{pid}/elb/l7policies/{id}/rules", l7policies::create_rule),
    elb("GET", "/v3/{pid}/elb/l7policies/{id}/rules/{rule}", l7policies::show_rule),
    elb("PUT", "/v3/{pid}/elb/l7policies/{id}/rules/{rule}", l7policies::update_rule),
    elb("DELETE", "/v3/{pid}/elb/l7policies/{id}/rules/{rule}", l7policies::delete_rule),
    elb("GET", "/v3/{pid}/elb/ipgroups", crud::list::<IpGroup>),
    elb("POST", "/v3/{pid}/elb/ipgroups", ipgroups::create),
    elb("GET", "/v3/{pid}/elb/ipgroups/{id}", crud::show::<IpGroup>),
    elb("PUT", "/v3/{pid}/elb/ipgroups/{id}", ipgroups::update),
    elb("DELETE", "/v3/{pid}/elb/ipgroups/{id}", ipgroups::delete),
    elb("POST", "/v3/{pid}/elb/ipgroups/{id}/iplist/create-or-update", ipgroups::add),
    elb("POST", "/v3/{pid}/elb/ipgroups/{id}/iplist/batch-delete", ipgroups::remove),
    elb("GET", "/v3/{pid}/elb/ipgroups/{id}/related-listeners", ipgroups::listeners),
    elb("GET", "/v3/{pid}/elb/certificates", crud::list::<Certificate>),
    elb("POST", "/v3/{pid}/elb/certificates", certificates::create),
    elb("POST", "/v3/{pid}/elb/certificates/batch-delete", batch::delete_certificates),
    elb("GET", "/v3/{pid}/elb/certificates/{id}", crud::show::<Certificate>),
    elb("PUT", "/v3/{pid}/elb/certificates/{id}", certificates::update),
    elb("DELETE", "/v3/{pid}/elb/certificates/{id}", certificates::delete),
    elb("GET", "/v3/{pid}/elb/security-policies", crud::list::<SecurityPolicy>),
    elb("POST", "/v3/{pid}/elb/security-policies", certificates::create_policy),
    elb("GET", "/v3/{pid}/elb/security-policies/{id}", crud::show::<SecurityPolicy>),
    elb("PUT", "/v3/{pid}/elb/security-policies/{id}", certificates::update_policy),
    elb("DELETE", "/v3/{pid}/elb/security-policies/{id}", certificates::delete_policy),
    elb("GET", "/v3/{pid}/elb/system-security-policies", certificates::system_policies),
    elb("GET", "/v3/{pid}/elb/flavors", catalogue::flavors),
    elb("GET", "/v3/{pid}/elb/flavors/{id}", catalogue::flavor_by_id),
    elb("GET", "/v3/{pid}/elb/availability-zones", catalogue::availability_zones),
    elb("GET", "/v3/{pid}/elb/quotas", catalogue::quotas),
    elb("GET", "/v3/{pid}/elb/quotas/details", catalogue::quota_details),
    elb("GET", "/v3/{pid}/loadbalancers/tags", tags::of_all::<LoadBalancer>),
    elb("GET", "/v3/{pid}/loadbalancers/{id}/tags", tags::show::<LoadBalancer>),
    elb("POST", "/v3/{pid}/loadbalancers/{id}/tags/action", tags::action::<LoadBalancer>),
    elb("GET", "/v2.0/{pid}/loadbalancers/tags", tags::of_all::<LoadBalancer>),
    elb("GET", "/v2.0/{pid}/loadbalancers/{id}/tags", tags::show::<LoadBalancer>),
    elb("POST", "/v2.0/{pid}/loadbalancers/{id}/tags", tags::add::<LoadBalancer>),
    elb("POST", "/v2.0/{pid}/loadbalancers/{id}/tags/action", tags::action::<LoadBalancer>),
    elb("DELETE", "/v2.0/{pid}/loadbalancers/{id}/tags/{key}", tags::remove::<LoadBalancer>),
    elb("GET", "/v3/{pid}/listeners/tags", tags::of_all::<Listener>),
    elb("GET", "/v3/{pid}/listeners/{id}/tags", tags::show::<Listener>),
    elb("POST", "/v3/{pid}/listeners/{id}/tags/action", tags::action::<Listener>),
    elb("GET", "/v2.0/{pid}/listeners/tags", tags::of_all::<Listener>),
    elb("GET", "/v2.0/{pid}/listeners/{id}/tags", tags::show::<Listener>),
    elb("POST", "/v2.0/{pid}/listeners/{id}/tags", tags::add::<Listener>),
    elb("POST", "/v2.0/{pid}/listeners/{id}/tags/action", tags::action::<Listener>),
    elb("DELETE", "/v2.0/{pid}/listeners/{id}/tags/{key}", tags::remove::<Listener>),
    elb("GET", "/versions", catalogue::versions),
    elb("GET", "/v2/{pid}/elb/loadbalancers", elb_v2::list),
    elb("POST", "/v2/{pid}/elb/loadbalancers", elb_v2::create),
    elb("GET", "/v2/{pid}/elb/loadbalancers/{id}", elb_v2::show),
    elb("PUT", "/v2/{pid}/elb/loadbalancers/{id}", elb_v2::update),
    elb("DELETE", "/v2/{pid}/elb/loadbalancers/{id}", elb_v2::delete),
    elb("GET", "/v2/{pid}/elb/loadbalancers/{id}/statuses", statuses::show),
    elb("GET", "/v2/{pid}/elb/listeners", legacy::list::<Listener>),
    elb("POST", "/v2/{pid}/elb/listeners", legacy::create::<Listener>),
    elb("GET", "/v2/{pid}/elb/listeners/{id}", legacy::show::<Listener>),
    elb("PUT", "/v2/{pid}/elb/listeners/{id}", legacy::update::<Listener>),
    elb("DELETE", "/v2/{pid}/elb/listeners/{id}", legacy::delete::<Listener>),
    elb("GET", "/v2/{pid}/elb/pools", legacy::list::<Pool>),
    elb("POST", "/v2/{pid}/elb/pools", legacy::create::<Pool>),
    elb("GET", "/v2/{pid}/elb/pools/{id}", legacy::show::<Pool>),
    elb("PUT", "/v2/{pid}/elb/pools/{id}", legacy::update::<Pool>),
    elb("DELETE", "/v2/{pid}/elb/pools/{id}", legacy::delete::<Pool>),
    elb("GET", "/v2/{pid}/elb/pools/{id}/members", legacy::list::<Member>),
    elb("POST", "/v2/{pid}/elb/pools/{id}/members", legacy::create::<Member>),
    elb("GET", "/v2/{pid}/elb/pools/{id}/members/{member}", legacy::show::<Member>),
    elb("PUT", "/v2/{pid}/elb/pools/{id}/members/{member}", legacy::update::<Member>),
    elb("DELETE", "/v2/{pid}/elb/pools/{id}/members/{member}", legacy::delete::<Member>),
    elb("GET", "/v2/{pid}/elb/healthmonitors", legacy::list::<Monitor>),
    elb("POST", "/v2/{pid}/elb/healthmonitors", legacy::create::<Monitor>),
    elb("GET", "/v2/{pid}/elb/healthmonitors/{id}", legacy::show::<Monitor>),
    elb("PUT", "/v2/{pid}/elb/healthmonitors/{id}", legacy::update::<Monitor>),
    elb("DELETE", "/v2/{pid}/elb/healthmonitors/{id}", legacy::delete::<Monitor>),
    elb("GET", "/v2/{pid}/elb/whitelists", whitelists::list),
    elb("POST", "/v2/{pid}/elb/whitelists", whitelists::create),
    elb("GET", "/v2/{pid}/elb/whitelists/{id}", crud::show::<Whitelist>),
    elb("PUT", "/v2/{pid}/elb/whitelists/{id}", whitelists::update),
    elb("DELETE", "/v2/{pid}/elb/whitelists/{id}", whitelists::delete),
    vpc("GET", "/v1/{pid}/bandwidths", bandwidths::list),
    vpc("GET", "/v1/{pid}/bandwidths/{id}", bandwidths::show),
    vpc("PUT", "/v1/{pid}/bandwidths/{id}", bandwidths::update),
    vpc("POST", "/v2.0/{pid}/bandwidths", bandwidths::create),
    vpc("PUT", "/v2.0/{pid}/bandwidths/{id}", bandwidths::update),
    vpc("DELETE", "/v2.0/{pid}/bandwidths/{id}", bandwidths::delete),
    vpc("POST", "/v2.0/{pid}/bandwidths/{id}/insert", bandwidths::insert),
    vpc("POST", "/v2.0/{pid}/bandwidths/{id}/remove", bandwidths::remove),
    vpc("GET", "/v1/{pid}/publicips", eip_v1::list),
    vpc("POST", "/v1/{pid}/publicips", eip_v1::create),
    vpc("GET", "/v1/{pid}/publicips/{id}", eip_v1::show),
    vpc("PUT", "/v1/{pid}/publicips/{id}", eip_v1::update),
    vpc("DELETE", "/v1/{pid}/publicips/{id}", eip_v1::delete),
    vpc("GET", "/v3/{pid}/eip/publicips", eip_v3::list),
    vpc("GET", "/v3/{pid}/eip/publicips/{id}", eip_v3::show),
    vpc("PUT", "/v3/{pid}/eip/publicips/{id}", eip_v3::update),
    vpc("POST", "/v3/{pid}/eip/publicips/{id}/associate-instance", eip_v3::associate),
    vpc("POST", "/v3/{pid}/eip/publicips/{id}/disassociate-instance", eip_v3::disassociate),
    vpc("GET", "/v2.0/{pid}/publicips/tags", tags::of_all::<Eip>),
    vpc("GET", "/v2.0/{pid}/publicips/{id}/tags", tags::show::<Eip>),
    vpc("POST", "/v2.0/{pid}/publicips/{id}/tags", tags::add::<Eip>),
    vpc("POST", "/v2.0/{pid}/publicips/{id}/tags/action", tags::action::<Eip>),
    vpc("DELETE", "/v2.0/{pid}/publicips/{id}/tags/{key}", tags::remove::<Eip>),
    vpc("POST", "/v2.0/{pid}/publicips", eip_v1::create_prepaid),
    vpc("GET", "/v2.0/floatingips", neutron::floating_ips),
    vpc("GET", "/v2.0/floatingips/{id}", neutron::floating_ip),
    vpc("GET", "/v1/{pid}/quotas", catalogue::vpc_quotas),
    vpc("GET", "/v1/{pid}/vpcs", vpc::vpcs),
    vpc("GET", "/v1/{pid}/vpcs/{id}", vpc::vpc),
    vpc("GET", "/v3/{pid}/vpc/vpcs/{id}", vpc::vpc),
    vpc("GET", "/v2.0/{pid}/vpcs/{id}/tags", vpc::no_tags),
    vpc("GET", "/v2.0/{pid}/subnets/{id}/tags", vpc::no_tags),
    vpc("GET", "/v1/{pid}/subnets", vpc::subnets),
    vpc("GET", "/v1/{pid}/subnets/{id}", vpc::subnet),
    vpc("GET", "/v1/{pid}/ports", vpc::ports),
    vpc("GET", "/v1/{pid}/ports/{id}", vpc::port),
    vpc("GET", "/v2.0/ports", vpc::ports),
    nat("GET", "/v2/{pid}/nat_gateways", nat::gateways),
    nat("POST", "/v2/{pid}/nat_gateways", nat::create_gateway),
    nat("GET", "/v2/{pid}/nat_gateways/{id}", nat::gateway),
    nat("PUT", "/v2/{pid}/nat_gateways/{id}", nat::update_gateway),
    nat("DELETE", "/v2/{pid}/nat_gateways/{id}", nat::delete_gateway),
    nat("GET", "/v3/{pid}/nat_gateways/tags", tags::of_all::<NatGateway>),
    nat("GET", "/v3/{pid}/nat_gateways/{id}/tags", tags::show::<NatGateway>),
    nat("POST", "/v3/{pid}/nat_gateways/{id}/tags", tags::add::<NatGateway>),
    nat("POST", "/v3/{pid}/nat_gateways/{id}/tags/action", tags::action::<NatGateway>),
    nat("DELETE", "/v3/{pid}/nat_gateways/{id}/tags/{key}", tags::remove::<NatGateway>),
    nat("GET", "/v2.0/{pid}/nat_gateways/{id}/tags", tags::show::<NatGateway>),
    nat("POST", "/v2.0/{pid}/nat_gateways/{id}/tags/action", tags::action::<NatGateway>),
    nat("GET", "/v2/{pid}/dnat_rules", nat::rules),
    nat("POST", "/v2/{pid}/dnat_rules", nat::create_rule),
    nat("POST", "/v2/{pid}/dnat_rules/batch", nat::create_rules),
    nat("GET", "/v2/{pid}/dnat_rules/{id}", nat::rule),
    nat("PUT", "/v2/{pid}/dnat_rules/{id}", nat::update_rule),
    nat("DELETE", "/v2/{pid}/nat_gateways/{id}/dnat_rules/{rule}", nat::delete_rule),
    nat("GET", "/v2.0/nat_gateways", nat::gateways),
    nat("GET", "/v2.0/nat_gateways/{id}", nat::gateway),
    nat("GET", "/v2.0/dnat_rules", nat::rules),
    nat("POST", "/v2.0/dnat_rules", nat::create_rule),
    nat("GET", "/v2.0/dnat_rules/{id}", nat::rule),
    nat("DELETE", "/v2.0/dnat_rules/{id}", nat::delete_rule_by_id),
    iam("GET", "/v3/projects", iam::projects),
    iam("GET", "/v3/auth/projects", iam::projects),
    iam("GET", "/v3/projects/{id}", iam::project),
    iam("GET", "/v3/auth/domains", iam::domains),
    iam("GET", "/v3/users/{id}", iam::user),
    iam("GET", "/v5/caller-identity", iam::caller),
    iam("POST", TOKENS, iam::create_token),
    iam("POST", "/v3.0/OS-CREDENTIAL/securitytokens", iam::create_keys),
];

/// Whoever asks for a token has nothing to sign with.
const TOKENS: &str = "/v3/auth/tokens";

impl Found {
    /// Whether anybody may call.
    pub fn is_open(&self) -> bool {
        self.route.template == TOKENS
    }
}

const fn elb(method: &'static str, template: &'static str, handler: Handler) -> Route {
    Route { method, template, family: Family::Elb, handler }
}

const fn iam(method: &'static str, template: &'static str, handler: Handler) -> Route {
    Route { method, template, family: Family::Iam, handler }
}

const fn vpc(method: &'static str, template: &'static str, handler: Handler) -> Route {
    Route { method, template, family: Family::Vpc, handler }
}

const fn nat(method: &'static str, template: &'static str, handler: Handler) -> Route {
    Route { method, template, family: Family::Nat, handler }
}

/// The route of a decoded path, if there is one.
pub fn find(method: &str, path: &str) -> Option<Found> {
    ROUTES.iter().filter(|route| route.method == method).find_map(|route| {
        let (project, params) = captures(route.template, path)?;
        Some(Found { route, project, params })
    })
}

/// Runs the handler, or says why not. `body` is what came, byte for byte.
pub fn dispatch(context: &mut Context, found: Option<&Found>, query: Query, body: &[u8]) -> Answer {
    let Some(found) = found else { return unknown() };
    context.cloud.advance(context.now);
    let family = found.route.family;
    if found.project.as_ref().is_some_and(|project| *project != context.cloud.setup.project_id) {
        return Answer::error_of(family, 403, "SYS.0403", "Forbidden: the project id in the path is not yours");
    }
    let body = if body.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(body) };
    let body = match body {
        Ok(body) => body,
        Err(error) => return Answer::error(400, "APIG.0201", &format!("Bad request: {error}")),
    };
    let request = Request { params: found.params.clone(), query, body };
    (found.route.handler)(context, &request).unwrap_or_else(|refusal| Answer::refused(family, &refusal))
}

/// What the gateway says to a path or method nobody serves, signed or not.
pub fn unknown() -> Answer {
    Answer::error(404, "APIG.0101", "The API does not exist or has not been published in the environment")
}

fn captures(template: &str, path: &str) -> Option<(Option<String>, Vec<String>)> {
    let (mut project, mut params) = (None, Vec::new());
    let mut segments = path.trim_end_matches('/').split('/');
    for expected in template.split('/') {
        let segment = segments.next()?;
        if expected == "{pid}" {
            project = Some(segment.to_owned());
        } else if expected.starts_with('{') {
            params.push(segment.to_owned());
        } else if expected != segment {
            return None;
        }
    }
    segments.next().is_none().then_some((project, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literal_segments_win_over_placeholders() {
        let template = |method, path| find(method, path).map(|found| found.route.template);
        assert_eq!(
            template("POST", "/v3/p/elb/pools/1/members/batch-add"),
            Some("/v3/{pid}/elb/pools/{id}/members/batch-add")
        );
        assert_eq!(template("GET", "/v3/p/elb/pools/1/members/2"), Some("/v3/{pid}/elb/pools/{id}/members/{member}"));
        assert_eq!(template("GET", "/v3/p/elb/quotas/details"), Some("/v3/{pid}/elb/quotas/details"));
        assert_eq!(template("GET", "/v3/projects"), Some("/v3/projects"));
        assert_eq!(template("GET", "/v3/p/elb/loadbalancers/"), Some("/v3/{pid}/elb/loadbalancers"));
        assert_eq!(template("PATCH", "/v3/p/elb/pools"), None);
        assert_eq!(template("GET", "/v3/p/elb"), None);
        assert_eq!(template("GET", "/v3/p/elb/pools/1/members/2/3"), None);
    }

    #[test]
    fn no_route_is_listed_twice() {
        let mut all: Vec<_> = ROUTES.iter().map(|route| (route.method, route.template)).collect();
        all.sort_unstable();
        let before = all.len();
        all.dedup();
        assert_eq!(all.len(), before);
    }
}
