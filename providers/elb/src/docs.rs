//! The reference page of the annotations, from the table that the parser reads.

use std::fmt::Write;

use crate::keys::{Form, KEYS, Key, OnChange, OnRemoval, Section, Support, Vocabulary};
use crate::spec::Class;

const INTRO: &str = "\
# Annotations

Generated from `providers/elb/src/keys/table.rs`. All values are texts: write `\"true\"`, `\"300\"`.

- **All mistakes of a Service are told at once**, in the condition `ferrolb.io/ConfigurationValid` and an event, with the
  key, the place in it and what would be valid. Until they are corrected nothing is made or changed.
- **Unknown keys and unknown JSON fields stop nothing.** They are named in the same condition, with the nearest known one.
- **A key without effect** (for another class, or for ports that do not speak what it needs) is named there, too.
- **Changed** says what a new value does: *in place* without interruption; *anew*: the listener is deleted and made again,
  its port does not answer for the time of a few calls; *refused*: a condition says so, and nothing is touched.
- **Removed** says what happens when the key goes: *default*: as if it were set to what holds without it; *kept*: the load
  balancer keeps the setting, as CCE documents; set the value you want before you remove the key.
- **Since** names the oldest CCE clusters that know the key. FerroLB reads it on every cluster.
- Marked (open): a key of cloud-provider-huaweicloud; (own): one of FerroLB; (both): one that both know. All others are
  CCE's.
";

/// The page as Markdown.
pub fn markdown() -> String {
    let mut page = INTRO.to_owned();
    for (section, title) in [
        (Section::Balancer, "Load balancer and addresses"),
        (Section::Listener, "Listeners"),
        (Section::Pool, "Members, stickiness, health"),
        (Section::Inside, "Clients inside the cluster"),
        (Section::Dnat, "Class `dnat`"),
    ] {
        table(&mut page, title, |key| key.section == section && acts(key));
        if section == Section::Balancer {
            page.push_str(STAYS);
        }
    }
    table(&mut page, "Known and not acted on: a warning on the Service says so", |key| {
        matches!(key.support, Support::Later | Support::Ignored(_))
    });
    table(&mut page, "Known and without effect: written by a controller, or without meaning here", |key| {
        key.support == Support::Inert
    });
    page
}

const STAYS: &str = "
### What stays

- With `elb.keep-eip: \"true\"` an EIP that was made for the Service is unbound when the Service goes, and stays.
- With `elb.instance-reclaim-policy: retain` a load balancer that was made for the Service stays, and with it the EIP that
  was made for it, still bound: both are one wish of `elb.autocreate`, and an address is what one keeps a load balancer
  for. Listeners, pools and members go, as they do with CCE: without the Service they send to nobody.
- The wish is noted on the object itself (in the EIP's description, in a tag of the load balancer), so that it holds also
  where the Service is gone before the controller sees it. What counts is what was noted last.
- What stays loses the owner mark: no sweep takes it for a leak, and FerroLB never touches it again. Its description says
  where it comes from, and an event on the Service names it. From then on it is yours, and so is the bill.
";

fn acts(key: &Key) -> bool {
    key.support == Support::Acts
}

fn table(page: &mut String, title: &str, is_in: impl Fn(&Key) -> bool) {
    // Writing to a String cannot fail.
    let _ = write!(page, "\n## {title}\n\n");
    let _ = writeln!(page, "| Key | Meaning | Value | Without it | Needs | Changed | Removed | Since |");
    let _ = writeln!(page, "|---|---|---|---|---|---|---|---|");
    for key in KEYS.iter().filter(|k| is_in(k)) {
        let _ = writeln!(
            page,
            "| `{}`{} | {} | {} | {} | {} | {} | {} | {} |",
            key.name,
            mark(key),
            meaning(key),
            value(key),
            key.default,
            needs(key),
            changed(key),
            removed(key),
            key.since
        );
    }
}

fn mark(key: &Key) -> &'static str {
    match key.vocabulary {
        Vocabulary::Cce => "",
        Vocabulary::Open => " (open)",
        Vocabulary::Both => " (both)",
        Vocabulary::Own => " (own)",
    }
}

fn meaning(key: &Key) -> String {
    let mut text = key.meaning.to_owned();
    if !key.conflicts.is_empty() {
        let _ = write!(text, "; {}", key.conflicts);
    }
    if let Support::Ignored(reason) = key.support {
        let _ = write!(text, "; {reason}");
    }
    text
}

fn value(key: &Key) -> String {
    match key.form {
        Form::OneOf(words) => {
            let words = words.iter().filter(|w| !w.is_empty());
            words.map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", ")
        }
        Form::Switch => "`true`, `false`".into(),
        Form::Integer(least, most) => format!("{least} to {most}"),
        Form::Seconds(least, most) => format!("{least} to {most} seconds"),
        Form::Id => "an id".into(),
        other => other.valid(),
    }
}

fn needs(key: &Key) -> String {
    let class = match key.class {
        Some(Class::Shared) => "shared",
        Some(Class::Dedicated) => "dedicated",
        None => "",
    };
    let listeners = key.listeners.iter().map(|p| p.word()).collect::<Vec<_>>().join(", ");
    let parts: Vec<&str> = [class, listeners.as_str()].into_iter().filter(|p| !p.is_empty()).collect();
    parts.join("; ")
}

fn changed(key: &Key) -> &'static str {
    match key.change {
        OnChange::InPlace => "in place",
        OnChange::Interrupts => "anew",
        OnChange::Forbidden => "refused",
        OnChange::Nothing => "",
    }
}

fn removed(key: &Key) -> &'static str {
    match key.removal {
        OnRemoval::Default => "default",
        OnRemoval::Kept => "kept",
        OnRemoval::Nothing => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_its_line() {
        let page = markdown();
        for key in KEYS {
            assert_eq!(page.matches(&format!("\n| `{}`", key.name)).count(), 1, "{}", key.name);
        }
    }
}
