//! F33: somebody edits or deletes in the cloud's console what is ours.

use ferrolb_mock::{NAT_GATEWAY_ID, PROJECT_ID};
use serde_json::{Value, json};

use crate::dice::Dice;
use crate::sim::State;

/// One deed by hand on an object of ours.
pub fn meddle(s: &mut State, dice: &mut Dice) {
    let ours: Vec<(String, &'static str, String)> =
        s.law.ledger.ours.iter().map(|(id, (kind, uid))| (id.clone(), *kind, uid.clone())).collect();
    let Some((id, kind, uid)) = dice.pick(&ours).cloned() else { return };
    s.law.tamper(&uid);
    let elb = format!("/v3/{PROJECT_ID}/elb");
    let deletes = dice.chance(0.6);
    let (method, path, body) = match (kind, deletes) {
        ("loadbalancers", true) => {
            let public = dice.chance(0.5);
            let body = json!({"loadbalancer": {"public_ip": public}});
            ("POST", format!("{elb}/loadbalancers/{id}/delete-cascade"), body)
        }
        ("loadbalancers", false) => {
            ("PUT", format!("{elb}/loadbalancers/{id}"), json!({"loadbalancer": {"name": "renamed"}}))
        }
        ("listeners", true) => ("DELETE", format!("{elb}/listeners/{id}/force"), Value::Null),
        ("listeners", false) => ("PUT", format!("{elb}/listeners/{id}"), json!({"listener": {"name": "renamed"}})),
        ("pools", true) => ("DELETE", format!("{elb}/pools/{id}/delete-cascade"), Value::Null),
        ("pools", false) => ("PUT", format!("{elb}/pools/{id}"), json!({"pool": {"lb_algorithm": "SOURCE_IP"}})),
        ("ipgroups", true) => ("DELETE", format!("{elb}/ipgroups/{id}"), Value::Null),
        ("ipgroups", false) => ("PUT", format!("{elb}/ipgroups/{id}"), json!({"ipgroup": {"ip_list": []}})),
        ("dnatrules", true) => {
            ("DELETE", format!("/v2/{PROJECT_ID}/nat_gateways/{NAT_GATEWAY_ID}/dnat_rules/{id}"), Value::Null)
        }
        ("dnatrules", false) => {
            let body = json!({"dnat_rule": {"nat_gateway_id": NAT_GATEWAY_ID, "internal_service_port": 9}});
            ("PUT", format!("/v2/{PROJECT_ID}/dnat_rules/{id}"), body)
        }
        (_, true) => ("DELETE", format!("/v1/{PROJECT_ID}/publicips/{id}"), Value::Null),
        (_, false) => ("POST", format!("/v3/{PROJECT_ID}/eip/publicips/{id}/disassociate-instance"), Value::Null),
    };
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let answer = s.cloud.call(method, &path, body.as_bytes());
    if kind == "pools" && !deletes && answer.status == 200 {
        remove_a_member(s, &id, dice);
    }
}

fn remove_a_member(s: &mut State, pool: &str, dice: &mut Dice) {
    let State { law, cloud, .. } = s;
    law.ledger.load(cloud);
    let members: Vec<String> = law
        .ledger
        .objects("members")
        .filter(|member| member["pool_id"] == pool)
        .filter_map(|member| member["id"].as_str().map(str::to_owned))
        .collect();
    if let Some(id) = dice.pick(&members) {
        cloud.call("DELETE", &format!("/v3/{PROJECT_ID}/elb/pools/{pool}/members/{id}"), b"");
    }
}
