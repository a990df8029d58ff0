//! What users ask for: annotation sets with a name, so that the judge knows what must come of each.

use ferrolb_mock::{Cloud, NAT_GATEWAY_ID, PROJECT_ID};
use serde_json::{Value, json};

use crate::cloud::nested;
use crate::dice::Dice;

/// The annotation that names the wish. It is not the product's.
pub const WISH: &str = "example.com/wish";

/// A named set of annotations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// A shared load balancer with a public address.
    Union,
    /// A dedicated one.
    Performance,
    /// A shared one with a private address only.
    Private,
    /// A dedicated one with a private address, that sends to pods.
    Pods,
    /// One that is there already.
    Adopt,
    /// Rules of a NAT gateway, on an EIP of its own.
    Dnat,
    /// Rules of a NAT gateway on somebody else's EIP, which several want.
    DnatShared,
    /// JSON that is none.
    BadJson,
    /// A class that does not exist.
    BadClass,
    /// JSON that nobody reads to its end.
    Nested,
    /// Nothing at all.
    Nothing,
}

impl Wish {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Union,
        Self::Performance,
        Self::Private,
        Self::Pods,
        Self::Adopt,
        Self::Dnat,
        Self::DnatShared,
        Self::BadJson,
        Self::BadClass,
        Self::Nested,
        Self::Nothing,
    ];

    /// A wish, mostly a right one.
    pub fn any(dice: &mut Dice) -> Self {
        match dice.below(20) {
            0..=7 => Self::Union,
            8..=11 => Self::Performance,
            12..=13 => Self::Private,
            14 => Self::Pods,
            15..=16 => Self::Adopt,
            17 => Self::BadJson,
            18 => Self::BadClass,
            _ => Self::Nothing,
        }
    }

    /// The wish of a Service.
    pub fn of(service: &Value) -> Option<Self> {
        let name = service["metadata"]["annotations"][WISH].as_str()?;
        Self::ALL.into_iter().find(|wish| format!("{wish:?}") == name)
    }

    /// Whether the product must take it.
    pub fn is_right(self) -> bool {
        matches!(self, Self::Union | Self::Performance | Self::Private | Self::Pods | Self::Adopt) || self.is_dnat()
    }

    /// Whether a NAT gateway is to do it.
    pub fn is_dnat(self) -> bool {
        matches!(self, Self::Dnat | Self::DnatShared)
    }

    /// Whether several ask for places on one thing, so that somebody else may have come first.
    pub fn is_shared(self) -> bool {
        matches!(self, Self::Adopt | Self::DnatShared)
    }

    /// How many public addresses belong to it.
    pub fn public(self) -> usize {
        usize::from(matches!(self, Self::Union | Self::Performance | Self::Dnat))
    }

    /// Its annotations; `existing` is a load balancer to adopt, `eip` one to put rules on.
    pub fn annotations(self, existing: &str, eip: &str) -> Value {
        let public = json!({"type": "public", "bandwidth_chargemode": "traffic",
            "bandwidth_size": 5, "bandwidth_sharetype": "PER", "eip_type": "5_bgp"});
        let mut dedicated = public.clone();
        dedicated["available_zone"] = json!(["mock-1a"]);
        dedicated["l4_flavor_name"] = json!("L4_flavor.elb.s1.small");
        let (class, autocreate) = ("kubernetes.io/elb.class", "kubernetes.io/elb.autocreate");
        let gateway = "kubernetes.io/natgateway.id";
        let mut annotations = match self {
            Self::Union => json!({class: "union", autocreate: public.to_string()}),
            Self::Performance => json!({class: "performance", autocreate: dedicated.to_string()}),
            Self::Private => json!({class: "union", autocreate: r#"{"type":"inner"}"#}),
            Self::Pods => json!({class: "performance", autocreate: r#"{"available_zone":["mock-1a"]}"#,
                "ferrolb.io/backends": "pods"}),
            Self::Adopt => json!({"kubernetes.io/elb.id": existing}),
            Self::Dnat => json!({class: "dnat", gateway: NAT_GATEWAY_ID, "kubernetes.io/elb.eip-auto-create-option":
                r#"{"ip_type":"5_bgp","bandwidth_size":5,"share_type":"PER"}"#}),
            Self::DnatShared => json!({class: "dnat", gateway: NAT_GATEWAY_ID, "kubernetes.io/elb.eip-id": eip}),
            Self::BadJson => json!({class: "union", autocreate: "{\"type\":"}),
            Self::BadClass => json!({class: "enormous", autocreate: public.to_string()}),
            Self::Nested => json!({class: "union", autocreate: format!("{{\"type\":{}}}", nested())}),
            Self::Nothing => json!({}),
        };
        annotations[WISH] = json!(format!("{self:?}"));
        // Users here change their mind and mean it: what they ask for no longer shall go.
        annotations["ferrolb.io/allow-interruption"] = json!("true");
        annotations
    }
}

/// Whom a Service lets in, where it says so, which one in three does: `spec.loadBalancerSourceRanges`.
pub fn any_ranges(dice: &mut Dice) -> Option<Value> {
    let lists: [&[&str]; 3] = [&["10.0.0.0/8"], &["192.0.2.0/24", "198.51.100.0/24"], &["203.0.113.0/24"]];
    dice.chance(0.3).then(|| json!(dice.pick(&lists)))
}

/// Makes an EIP of somebody else; its id.
pub fn foreign_eip(cloud: &Cloud) -> String {
    let body = json!({"publicip": {"type": "5_bgp", "alias": "theirs"},
        "bandwidth": {"name": "theirs", "size": 5, "share_type": "PER"}});
    let path = format!("/v1/{PROJECT_ID}/publicips");
    let made = cloud.call("POST", &path, body.to_string().as_bytes()).body.unwrap_or_default();
    made["publicip"]["id"].as_str().unwrap_or_default().to_owned()
}

/// Makes a load balancer of somebody else, with a listener; its id.
pub fn foreign_balancer(cloud: &Cloud, number: u64) -> String {
    let path = format!("/v3/{}/elb/loadbalancers", PROJECT_ID);
    let body = json!({"loadbalancer": {
        "name": format!("theirs-{number}"), "vpc_id": ferrolb_mock::VPC_ID,
        "vip_subnet_cidr_id": ferrolb_mock::VIP_SUBNET_NEUTRON_ID,
        "availability_zone_list": ["mock-1a"], "description": "production, do not touch",
        "publicip": {"network_type": "5_bgp", "bandwidth": {
            "name": "theirs", "size": 5, "charge_mode": "traffic", "share_type": "PER"}},
    }});
    let made = cloud.call("POST", &path, body.to_string().as_bytes()).body.unwrap_or_default();
    let id = made["loadbalancer"]["id"].as_str().unwrap_or_default().to_owned();
    let listener = json!({"listener": {
        "loadbalancer_id": id, "protocol": "TCP", "protocol_port": 8443, "name": "theirs"}});
    cloud.call("POST", &format!("/v3/{}/elb/listeners", PROJECT_ID), listener.to_string().as_bytes());
    id
}
