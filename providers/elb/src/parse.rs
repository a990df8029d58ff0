//! Options (annotations) → what they ask for. Never stops at the first problem.

mod access;
mod balancer;
mod listener;
mod members;
mod pool;
mod ranges;
pub(crate) mod read;

use ferrolb_provider::{Desired, Options, Problem};

use crate::autocreate::{ID_FORM, is_id};
use crate::health_check;
use crate::keys::{
    ALLOW_INTERRUPTION, CLASS, CUSTOM_EIP_ID, EIP_ID, ID, INSTANCE_RECLAIM_POLICY, KEEP_EIP, KEYS, LB_ALGORITHM,
    PASS_THROUGH, PREFIX, Support, find, nearest,
};
use crate::spec::{Algorithm, Class, ElbSpec};
use read::Reader;

/// What was read.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// What is asked for; `None` where errors leave nothing to work with.
    pub spec: Option<ElbSpec>,
    /// What must be corrected first.
    pub errors: Vec<Problem>,
    /// What stops nothing.
    pub warnings: Vec<Problem>,
}

/// Reads the options of a Service.
pub fn parse(want: &Desired) -> Parsed {
    let options = &want.options;
    let mut reader = Reader::new(options);
    reader.warnings = warn_of_keys(options);
    let class = class(options, &mut reader.errors);
    let known = class.ok().flatten();
    let open =
        reader.text(CLASS).is_some_and(|word| matches!(word.to_ascii_lowercase().as_str(), "shared" | "dedicated"));
    let algorithm = reader.word(LB_ALGORITHM).as_deref().and_then(Algorithm::of).unwrap_or_default();
    let mut ports = listener::parse(&mut reader, want, known, open);
    ranges::parse(&mut reader, want, known, &mut ports);
    let access = access::parse(&mut reader, want, known);
    listener::warn_of_hidden_clients(&mut reader, want);
    pool::parse(&mut reader, want, known, algorithm, &mut ports);
    // What is made without a word about its class is shared.
    let made = known.or_else(|| reader.text(ID).is_none().then_some(Class::Shared));
    let members = members::parse(&mut reader, want, made, algorithm);
    health_check::parse(&mut reader, open, &mut ports);
    let passes_through = passes_through(&mut reader, made);
    // The engine acts on it; a value that says nothing is told here.
    reader.switch(ALLOW_INTERRUPTION);
    // CCE writes the one, and the user the other to have another one.
    let written = reader.word(EIP_ID);
    let eip = reader.word(CUSTOM_EIP_ID).or(written);
    let balancer = balancer::parse(&mut reader, class, open, eip.is_some());
    let keep_eip = keeps_eip(&mut reader);
    let retain = reader.word(INSTANCE_RECLAIM_POLICY).as_deref() == Some("retain");
    let Reader { errors, warnings, .. } = reader;
    let spec = balancer.map(|balancer| ElbSpec {
        balancer,
        eip,
        keep_eip,
        retain,
        passes_through,
        algorithm,
        access,
        members,
        ports,
    });
    Parsed { spec: spec.filter(|_| errors.is_empty()), errors, warnings }
}

/// `elb.keep-eip`. The open controller takes several words for no.
pub(crate) fn keeps_eip(reader: &mut Reader<'_>) -> bool {
    reader.text(KEEP_EIP).is_some_and(|word| !is_off(word)) && reader.switch(KEEP_EIP).unwrap_or_default()
}

fn class(options: &Options, errors: &mut Vec<Problem>) -> Result<Option<Class>, ()> {
    const VALID: &str = "union (shared), performance (dedicated) or dnat";
    let Some(word) = options.get(CLASS).map(|w| w.trim()) else {
        return Ok(None);
    };
    let message = match word.to_ascii_lowercase().as_str() {
        "" => return Ok(None),
        "union" | "shared" => return Ok(Some(Class::Shared)),
        "performance" | "dedicated" => return Ok(Some(Class::Dedicated)),
        // Class dnat has a parser of its own.
        "elasticity" => format!("\"{word}\" is not supported yet"),
        _ => format!("\"{word}\" is not known"),
    };
    errors.push(Problem { option: CLASS.to_owned(), at: String::new(), message, valid: VALID.into() });
    Err(())
}

/// `elb.pass-through`, with what it costs.
fn passes_through(reader: &mut Reader<'_>, class: Option<Class>) -> bool {
    let asked = reader.word(PASS_THROUGH).is_some_and(|word| word != "false");
    if asked && class != Some(Class::Shared) {
        let message = "behind a dedicated load balancer a node with a backend, and the pods on it, do not reach its addresses: the answer goes to the client past the load balancer";
        reader.warn(
            PASS_THROUGH,
            message,
            "false, where clients inside the cluster matter: kube-proxy then serves them",
        );
    }
    asked
}

/// The id in an option, `None` for none.
pub(crate) fn id(options: &Options, key: &str, errors: &mut Vec<Problem>) -> Option<String> {
    let id = options.get(key)?.trim();
    if id.is_empty() {
        return None;
    }
    if is_id(id) {
        return Some(id.to_owned());
    }
    errors.push(Problem {
        option: key.to_owned(),
        at: String::new(),
        message: format!("\"{id}\" is not an id"),
        valid: ID_FORM.into(),
    });
    None
}

/// Warnings about keys nobody knows and about those this version does not act on.
fn warn_of_keys(options: &Options) -> Vec<Problem> {
    let mut warnings = Vec::new();
    for (key, value) in options {
        let warning = match find(key) {
            Some(known) if known.support == Support::Later && !is_off(value) => Problem {
                option: key.clone(),
                at: String::new(),
                message: "known, not yet acted on".into(),
                valid: format!("it means: {}", known.meaning),
            },
            Some(known)
                if !is_off(value)
                    && let Support::Ignored(reason) = known.support =>
            {
                Problem {
                    option: key.clone(),
                    at: String::new(),
                    message: format!("without effect: {reason}"),
                    valid: String::new(),
                }
            }
            Some(_) => continue,
            None if key.starts_with(PREFIX) => Problem {
                option: key.clone(),
                at: String::new(),
                message: "unknown key, ignored".into(),
                valid: match nearest(key) {
                    Some(near) => format!("did you mean {near}?"),
                    None => format!("{} keys are known, {CLASS} for one", KEYS.len()),
                },
            },
            None => continue,
        };
        warnings.push(warning);
    }
    warnings
}

/// Whether a key says that its feature is off, which it is.
pub(crate) fn is_off(value: &str) -> bool {
    matches!(value.trim(), "" | "false" | "off" | "0")
}

#[cfg(test)]
mod tests;
