//! Which load balancer: an existing one, or what the one to make is to be like.

use ferrolb_provider::Problem;

use super::id;
use super::read::Reader;
use crate::keys::{
    AUTOCREATE, AVAILABILITY_ZONES, CLASS, EIP_AUTO_CREATE_OPTION, EIP_ID, ENABLE_CROSS_VPC, ENTERPRISE_ID, ID,
    L4_FLAVOR_ID, L7_FLAVOR_ID, SUBNET_ID, TAGS,
};
use crate::spec::{Autocreate, Balancer, Class, Flavor, PublicIp, Tags};
use crate::{autocreate, eip_option, tags};

/// The open controller's keys for what `elb.autocreate` says in its JSON.
const IN_AUTOCREATE: [&str; 3] = [AVAILABILITY_ZONES, L4_FLAVOR_ID, L7_FLAVOR_ID];
/// Those of them, and others, that mean nothing to a shared load balancer.
const DEDICATED: [&str; 4] = [AVAILABILITY_ZONES, L4_FLAVOR_ID, L7_FLAVOR_ID, ENABLE_CROSS_VPC];
/// Keys for a load balancer that is made.
const OF_NEW: [&str; 6] =
    [AVAILABILITY_ZONES, L4_FLAVOR_ID, L7_FLAVOR_ID, ENABLE_CROSS_VPC, TAGS, EIP_AUTO_CREATE_OPTION];

/// `class` is an error where it is none that there is; `open` where it is in the open controller's words; `brought`:
/// the user has an EIP for it.
pub(super) fn parse(
    reader: &mut Reader<'_>,
    class: Result<Option<Class>, ()>,
    open: bool,
    brought: bool,
) -> Option<Balancer> {
    let enterprise_project = id(reader.options, ENTERPRISE_ID, &mut reader.errors);
    if reader.text(ID).is_some() {
        return existing(reader);
    }
    // Of a class that is not supported nobody wants to know what else is wrong.
    let class = class.ok()?;
    let text = reader.options.get(AUTOCREATE);
    let new = match (text, class) {
        (Some(text), _) => {
            warn_of(reader, &IN_AUTOCREATE, &format!("without effect beside {AUTOCREATE}, which says it itself"));
            autocreate::parse(text, class, &mut reader.errors, &mut reader.warnings)
        }
        (None, Some(class)) if open => from_keys(reader, class),
        (None, _) => {
            nothing(reader);
            return None;
        }
    };
    let made_as = new.as_ref().map(|new| new.class).or(class).unwrap_or(Class::Shared);
    if made_as == Class::Shared {
        warn_of(reader, &DEDICATED, "without effect on a shared load balancer");
    }
    let is_public = new.as_ref().is_some_and(|new| new.public.is_some());
    let eip = eip(reader, is_public, brought);
    let tags = reader.text(TAGS).map(|text| tags::parse(text, &mut reader.errors).unwrap_or_default());
    let ip_targets = if made_as == Class::Dedicated { reader.switch(ENABLE_CROSS_VPC) } else { None };
    let new = new?;
    Some(Balancer::New(Box::new(Autocreate {
        public: new.public.or(eip),
        enterprise_project,
        ip_targets,
        tags: tags.unwrap_or_default(),
        ..new
    })))
}

fn existing(reader: &mut Reader<'_>) -> Option<Balancer> {
    if reader.options.contains_key(AUTOCREATE) {
        let message = format!(
            "without effect beside {ID}: the existing load balancer is used, and it stays when the Service goes"
        );
        let valid = format!("remove one of the two; {ID} must go where a new load balancer is meant");
        reader.warn(AUTOCREATE, message, valid);
    }
    warn_of(reader, &OF_NEW, &format!("without effect beside {ID}: the existing load balancer stays as it is"));
    id(reader.options, ID, &mut reader.errors).map(Balancer::Existing)
}

fn nothing(reader: &mut Reader<'_>) {
    let valid = format!(
        "add {ID} with the id of an existing one, or {AUTOCREATE}: '{{\"type\":\"inner\"}}' for a private one, \
         '{{\"type\":\"public\",\"bandwidth_name\":\"cce-bandwidth\",\"bandwidth_size\":5,\"bandwidth_sharetype\":\"PER\",\"eip_type\":\"5_bgp\"}}' for a public one; \
         or {CLASS}: shared, which makes a private one"
    );
    reader.error(AUTOCREATE, "no load balancer is named and none is to be made", valid);
}

/// The open controller makes a load balancer wherever none is named.
fn from_keys(reader: &mut Reader<'_>, class: Class) -> Option<Autocreate> {
    let before = reader.errors.len();
    let dedicated = class == Class::Dedicated;
    let vip_subnet = reader.word(SUBNET_ID);
    let mut new = Autocreate {
        class,
        name: None,
        public: None,
        vip_subnet,
        vip_address: None,
        ipv6_network: None,
        networks: Vec::new(),
        zones: Vec::new(),
        l4_flavor: None,
        l7_flavor: None,
        enterprise_project: None,
        ip_targets: None,
        tags: Tags::new(),
    };
    if dedicated {
        let zones = reader.text(AVAILABILITY_ZONES).unwrap_or_default();
        new.zones = zones.split([';', ',']).map(str::trim).filter(|z| !z.is_empty()).map(str::to_owned).collect();
        if new.zones.is_empty() {
            reader.error(
                AVAILABILITY_ZONES,
                "missing: a dedicated load balancer needs at least one zone",
                "for instance eu-de-01;eu-de-02",
            );
        }
        new.l4_flavor = reader.word(L4_FLAVOR_ID).map(Flavor::Id);
        new.l7_flavor = reader.word(L7_FLAVOR_ID).map(Flavor::Id);
    }
    (reader.errors.len() == before).then_some(new)
}

/// The EIP of `elb.eip-auto-create-option`.
fn eip(reader: &mut Reader<'_>, is_public: bool, brought: bool) -> Option<PublicIp> {
    let text = reader.text(EIP_AUTO_CREATE_OPTION)?;
    if brought {
        reader.warn(EIP_AUTO_CREATE_OPTION, format!("without effect beside {EIP_ID}"), "remove one of the two");
        return None;
    }
    if is_public {
        let message = format!("without effect: {AUTOCREATE} makes an EIP already");
        reader.warn(EIP_AUTO_CREATE_OPTION, message, "remove one of the two");
        return None;
    }
    eip_option::parse(text, &mut reader.errors, &mut reader.warnings)
}

fn warn_of(reader: &mut Reader<'_>, keys: &[&str], message: &str) {
    let given: Vec<&str> = keys.iter().copied().filter(|key| reader.text(key).is_some_and(|v| v != "false")).collect();
    for key in given {
        reader.warnings.push(Problem {
            option: key.to_owned(),
            at: String::new(),
            message: message.to_owned(),
            valid: String::new(),
        });
    }
}
