//! The owner mark: what says of a cloud object that it is ours, of which cluster and of which Service.
//!
//! Balancers, listeners, pools and address groups bear it in their description, readable and parsable; an EIP has only an alias of
//! 64 characters, so its mark names the Service's UID and a hash of the cluster id.

use std::fmt::Write;

use ferrolb_provider::Owner;
use sha2::{Digest, Sha256};

const PREFIX: &str = "ferrolb.io/owner";
const ALIAS_PREFIX: &str = "ferrolb-";
/// The description of an EIP of ours that stays when its owner goes. It needs no owner: the alias names it.
pub(crate) const KEPT: &str = "ferrolb.io/keep-eip";
/// The tag of a load balancer of ours that stays when its owner goes.
pub(crate) const RETAINED: (&str, &str) = ("ferrolb-reclaim-policy", "retain");
/// What the cloud takes as a description.
const MAX: usize = 255;

/// The description of everything of `owner` that has one. At most 255 bytes: names, which only people need, are cut.
pub fn description(owner: &Owner) -> String {
    let Owner { cluster, uid, namespace, name } = owner;
    let mut mark = format!("{PREFIX} cluster={cluster} uid={uid} service={namespace}/{name}");
    let mut end = mark.len().min(MAX);
    while !mark.is_char_boundary(end) {
        end -= 1;
    }
    mark.truncate(end);
    mark
}

/// What stands in place of the mark on what stays; for people.
pub fn farewell(owner: &Owner) -> String {
    if owner.name.is_empty() {
        return "made by FerroLB for a Service that is gone".to_owned();
    }
    let Owner { namespace, name, .. } = owner;
    format!("made by FerroLB for the Service {namespace}/{name}, which is gone")
}

/// The owner that a description names, if it is a mark at all.
pub fn owner_in(description: &str) -> Option<Owner> {
    let mut words = description.split(' ');
    if words.next() != Some(PREFIX) {
        return None;
    }
    let cluster = words.next()?.strip_prefix("cluster=")?;
    let uid = words.next()?.strip_prefix("uid=")?;
    let service = words.next().and_then(|w| w.strip_prefix("service="));
    let (namespace, name) = service.and_then(|s| s.split_once('/')).unwrap_or_default();
    Some(Owner {
        cluster: cluster.to_owned(),
        uid: uid.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    })
}

/// Whether a description is the mark of `owner`; its names do not matter.
pub fn is_of(description: &str, owner: &Owner) -> bool {
    owner_in(description).is_some_and(|found| same(&found, owner))
}

/// Whether two owners are one: cluster and UID identify.
pub fn same(one: &Owner, other: &Owner) -> bool {
    one.cluster == other.cluster && one.uid == other.uid
}

/// The alias of the EIP of `owner`.
pub fn alias(owner: &Owner) -> String {
    format!("{ALIAS_PREFIX}{}-{}", owner.uid, short_hash(&owner.cluster))
}

/// The tags of an EIP of the user's that is lent to `owner`: whose it is, and what it is bound to for them. At most 36
/// characters a key and 43 a value; each owner has keys of its own, so that of two none writes over the other's mark.
pub(crate) fn lent_tags(owner: &Owner, place: &str) -> [(String, String); 2] {
    let [whose, place_key] = lent_keys(owner);
    [(whose, owner.uid.clone()), (place_key, place.to_owned())]
}

fn lent_keys(owner: &Owner) -> [String; 2] {
    let hash = short_hash(&format!("{}/{}", owner.cluster, owner.uid));
    [format!("{ALIAS_PREFIX}{hash}"), format!("{ALIAS_PREFIX}{hash}-at")]
}

/// What an EIP with these tags (`key=value`) was bound to for `owner`; `None` where it is not lent to them.
pub(crate) fn lent_place<'a>(tags: &'a [String], owner: &Owner) -> Option<&'a str> {
    let [whose, place] = lent_keys(owner);
    let value = |key: &str| tags.iter().find_map(|tag| tag.strip_prefix(key)?.strip_prefix('='));
    value(&whose).filter(|uid| *uid == owner.uid).map(|_| value(&place).unwrap_or_default())
}

/// The owner that a tag of an EIP names, without its names, if it is of `cluster`.
pub(crate) fn owner_in_tag(tag: &str, cluster: &str) -> Option<Owner> {
    let (key, uid) = tag.split_once('=')?;
    let owner =
        Owner { cluster: cluster.to_owned(), uid: uid.to_owned(), namespace: String::new(), name: String::new() };
    (key == lent_keys(&owner)[0]).then_some(owner)
}

/// The owner that an EIP's alias names, without its names, if it is of `cluster`.
pub fn owner_in_alias(alias: &str, cluster: &str) -> Option<Owner> {
    let (uid, hash) = alias.strip_prefix(ALIAS_PREFIX)?.rsplit_once('-')?;
    (hash == short_hash(cluster)).then(|| Owner {
        cluster: cluster.to_owned(),
        uid: uid.to_owned(),
        namespace: String::new(),
        name: String::new(),
    })
}

/// 48 bits in hex: enough to tell the clusters of one project apart.
fn short_hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(6).fold(String::new(), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn owner() -> Owner {
        Owner {
            cluster: "5f1c1f6e-0000-4000-8000-00000000c1c1".into(),
            uid: "9b1d7e52-3c1c-4a54-9f2a-0123456789ab".into(),
            namespace: "default".into(),
            name: "nginx".into(),
        }
    }

    #[test]
    fn a_description_says_whose_it_is() {
        let text = description(&owner());
        assert_eq!(
            text,
            "ferrolb.io/owner cluster=5f1c1f6e-0000-4000-8000-00000000c1c1 \
             uid=9b1d7e52-3c1c-4a54-9f2a-0123456789ab service=default/nginx"
        );
        assert_eq!(owner_in(&text), Some(owner()));
        assert!(is_of(&text, &Owner { name: String::new(), ..owner() }));
        assert!(!is_of(&text, &Owner { uid: "other".into(), ..owner() }));
        assert!(!is_of(&text, &Owner { cluster: "other".into(), ..owner() }));
    }

    #[test]
    fn foreign_descriptions_are_nobodys() {
        for text in [
            "",
            "production",
            "ferrolb.io/owner",
            "ferrolb.io/owner cluster=a",
            "x ferrolb.io/owner cluster=a uid=b service=c/d",
        ] {
            assert_eq!(owner_in(text), None, "{text:?}");
        }
    }

    #[test]
    fn the_longest_names_fit() {
        let long = Owner { namespace: "n".repeat(63), name: "s".repeat(63), ..owner() };
        let text = description(&long);
        assert!(text.len() <= MAX);
        assert_eq!(owner_in(&text), Some(long));
        let longer = Owner { cluster: "c".repeat(150), name: "é".repeat(63), ..owner() };
        assert!(description(&longer).len() <= MAX);
        assert!(is_of(&description(&longer), &longer));
    }

    #[test]
    fn the_tags_of_a_lent_eip_name_owner_and_place() {
        let place = "0f0e0d0c-0000-4000-8000-00000000beef";
        let tags = lent_tags(&owner(), place);
        assert!(tags.iter().all(|(key, value)| key.len() <= 36 && value.len() <= 43), "{tags:?}");
        let tags = tags.map(|(key, value)| format!("{key}={value}"));
        assert_eq!(lent_place(&tags, &owner()), Some(place));
        assert_eq!(lent_place(&tags[..1], &owner()), Some(""));
        let other = Owner { uid: "other".into(), ..owner() };
        assert_eq!((lent_place(&tags, &other), lent_place(&[], &owner())), (None, None));
        let found: Vec<Owner> = tags.iter().filter_map(|tag| owner_in_tag(tag, &owner().cluster)).collect();
        assert!(found.len() == 1 && same(&found[0], &owner()), "{found:?}");
        assert!(tags.iter().all(|tag| owner_in_tag(tag, "another cluster").is_none()));
    }

    #[test]
    fn an_alias_names_the_uid_within_its_cluster() {
        let text = alias(&owner());
        assert!(text.len() <= 64 && text.contains(&owner().uid));
        let found = owner_in_alias(&text, &owner().cluster).unwrap();
        assert!(same(&found, &owner()) && found.name.is_empty());
        assert_eq!(owner_in_alias(&text, "another cluster"), None);
        assert_eq!(owner_in_alias("my-address", &owner().cluster), None);
    }
}
