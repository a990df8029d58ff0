//! Every annotation key that CCE, the open controller or their predecessors know, in one table.
//!
//! The parser reads from it how a value is written, which field of a listener it sets and where that field exists; the
//! reference page is made from it.

mod table;

use crate::spec::{Class, ElbProtocol};

pub use table::*;

/// One annotation key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Full key.
    pub name: &'static str,
    /// What it means, for people.
    pub meaning: &'static str,
    /// What values look like.
    pub form: Form,
    /// What holds without it; empty: nothing.
    pub default: &'static str,
    /// What it is about.
    pub section: Section,
    /// Whose word it is.
    pub vocabulary: Vocabulary,
    /// The class it needs; `None`: any that has a load balancer.
    pub class: Option<Class>,
    /// The listeners it is for; empty: all, or none in particular.
    pub listeners: &'static [ElbProtocol],
    /// The oldest CCE versions that know it; empty: all do.
    pub since: &'static str,
    /// What happens when its value changes.
    pub change: OnChange,
    /// What happens when it is removed.
    pub removal: OnRemoval,
    /// What it cannot stand beside, or what it needs besides.
    pub conflicts: &'static str,
    /// What this version does with it.
    pub support: Support,
    /// The field of a listener that it sets, as a path; empty: none, or not that alone.
    pub sets: &'static str,
}

/// What a key is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Which load balancer serves.
    Balancer,
    /// How members are chosen and probed.
    Pool,
    /// What a port speaks.
    Listener,
    /// Clients inside the cluster.
    Inside,
    /// Class `dnat`.
    Dnat,
}

/// Whose word a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vocabulary {
    /// CCE's.
    Cce,
    /// The open controller's (cloud-provider-huaweicloud).
    Open,
    /// That of both.
    Both,
    /// Our own.
    Own,
}

/// Form of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Free text.
    Text,
    /// Letters, digits, `-`, `_` and `.`.
    Word,
    /// Id of a cloud object.
    Id,
    /// One of these.
    OneOf(&'static [&'static str]),
    /// `true` or `false`.
    Switch,
    /// A number between these.
    Integer(u32, u32),
    /// A number of seconds between these.
    Seconds(u32, u32),
    /// A JSON object.
    Json,
    /// A JSON array.
    JsonList,
    /// Ids separated by commas.
    Ids,
    /// Values separated by commas, or as said.
    List,
}

/// What happens when the value of a key changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnChange {
    /// The object is changed in place; traffic goes on.
    InPlace,
    /// The listener is made anew; its port does not answer meanwhile.
    Interrupts,
    /// A condition says that it cannot be had; nothing is destroyed.
    Forbidden,
    /// Nothing.
    Nothing,
}

/// What happens when a key is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnRemoval {
    /// The same as changing it to what holds without it.
    Default,
    /// The load balancer keeps the setting, as CCE documents.
    Kept,
    /// Nothing.
    Nothing,
}

/// What this version does with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// Acts on it.
    Acts,
    /// Not yet, and that makes a difference: the user is warned.
    Later,
    /// Nothing on purpose, and the user is warned with this reason.
    Ignored(&'static str),
    /// Nothing, and nothing is missed: written by a controller, or without meaning for it today.
    Inert,
}

/// Prefix of the keys that are ours to know: an unknown one with it is a mistake worth a warning.
pub const PREFIX: &str = "kubernetes.io/elb.";

/// The entry of a key.
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|k| k.name == name)
}

/// The known key that a misspelt one most likely means.
pub fn nearest(name: &str) -> Option<&'static str> {
    closest(name, KEYS.iter().map(|k| k.name))
}

/// The fields of a listener that keys set, and the objects that some of them are parts of.
pub(crate) fn listener_fields() -> impl Iterator<Item = &'static str> {
    let paths = KEYS.iter().map(|k| k.sets).filter(|path| !path.is_empty());
    paths.flat_map(|path| [Some(path), path.split_once('/').map(|(object, _)| object)]).flatten()
}

/// Whether a field of a listener names an object of the user's: a certificate, or a security policy.
pub(crate) fn names_object(field: &str) -> bool {
    KEYS.iter().any(|key| key.sets == field && matches!(key.form, Form::Id | Form::Ids))
}

/// The candidate that differs from `name` in at most a third of its letters.
pub(crate) fn closest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let short = |text: &str| text.strip_prefix(PREFIX).unwrap_or(text).to_ascii_lowercase().replace(['_', '.'], "-");
    let wanted = short(name);
    candidates
        .map(|c| (strsim::damerau_levenshtein(&wanted, &short(c)), c))
        .filter(|(distance, c)| *distance * 3 <= short(c).len().max(wanted.len()))
        .min()
        .map(|(_, c)| c)
}

impl Form {
    /// What is valid, for people.
    pub fn valid(self) -> String {
        match self {
            Self::Text => "text".into(),
            Self::Word => "letters, digits, - _ .".into(),
            Self::Id => "an id: 1 to 100 letters, digits, - and _".into(),
            Self::OneOf(words) => words.iter().filter(|w| !w.is_empty()).copied().collect::<Vec<_>>().join(", "),
            Self::Switch => "true or false".into(),
            Self::Integer(least, most) => format!("a whole number from {least} to {most}"),
            Self::Seconds(least, most) => {
                format!("a whole number of seconds from {least} to {most}, without a unit")
            }
            Self::Json => "a JSON object".into(),
            Self::JsonList => "a JSON array".into(),
            Self::Ids => "ids separated by commas".into(),
            Self::List => "values separated by commas".into(),
        }
    }
}

/// An entry with what most keys have in common; the rest is said by the methods below.
pub(crate) const fn key(name: &'static str, meaning: &'static str, form: Form, section: Section) -> Key {
    Key {
        name,
        meaning,
        form,
        default: "",
        section,
        vocabulary: Vocabulary::Cce,
        class: None,
        listeners: &[],
        since: "",
        change: OnChange::InPlace,
        removal: OnRemoval::Default,
        conflicts: "",
        support: Support::Acts,
        sets: "",
    }
}

impl Key {
    const fn default(mut self, default: &'static str) -> Self {
        self.default = default;
        self
    }

    const fn of(mut self, vocabulary: Vocabulary) -> Self {
        self.vocabulary = vocabulary;
        self
    }

    const fn only(mut self, class: Class) -> Self {
        self.class = Some(class);
        self
    }

    const fn on(mut self, listeners: &'static [ElbProtocol]) -> Self {
        self.listeners = listeners;
        self
    }

    const fn since(mut self, since: &'static str) -> Self {
        self.since = since;
        self
    }

    const fn fixed(mut self) -> Self {
        self.change = OnChange::Forbidden;
        self.removal = OnRemoval::Default;
        self
    }

    const fn interrupts(mut self) -> Self {
        self.change = OnChange::Interrupts;
        self
    }

    const fn kept(mut self) -> Self {
        self.removal = OnRemoval::Kept;
        self
    }

    const fn unless(mut self, conflicts: &'static str) -> Self {
        self.conflicts = conflicts;
        self
    }

    const fn sets(mut self, field: &'static str) -> Self {
        self.sets = field;
        self
    }

    const fn support(mut self, support: Support) -> Self {
        self.support = support;
        if !matches!(support, Support::Acts) {
            self.change = OnChange::Nothing;
            self.removal = OnRemoval::Nothing;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_key_is_listed_once_and_in_a_known_namespace() {
        let names: BTreeSet<_> = KEYS.iter().map(|k| k.name).collect();
        assert_eq!(names.len(), KEYS.len());
        assert!(names.iter().all(|n| n.starts_with("kubernetes.io/") || n.starts_with("ferrolb.io/")));
        assert!(KEYS.iter().all(|k| !k.meaning.is_empty()));
    }

    #[test]
    fn what_sets_a_field_is_acted_on() {
        assert!(KEYS.iter().filter(|k| !k.sets.is_empty()).all(|k| k.support == Support::Acts));
    }

    #[test]
    fn misspelt_keys_find_their_neighbour() {
        for (wrong, right) in [
            ("kubernetes.io/elb.clas", Some(CLASS)),
            ("kubernetes.io/elb.auto-create", Some(AUTOCREATE)),
            ("kubernetes.io/elb.lb_algorithm", Some(LB_ALGORITHM)),
            ("kubernetes.io/elb.healthcheck-flag", Some(HEALTH_CHECK_FLAG)),
            ("kubernetes.io/elb.listen-ports", Some("kubernetes.io/elb.listener-port")),
            ("kubernetes.io/elb.zzzzzzzzzzzz", None),
        ] {
            assert_eq!(nearest(wrong), right, "{wrong}");
        }
    }
}
