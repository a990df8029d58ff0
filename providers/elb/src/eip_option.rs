//! `elb.eip-auto-create-option`: the EIP to make, in the words of the open controller.

use ferrolb_provider::Problem;
use serde_json::{Map, Value};

use crate::autocreate::{ID_FORM, is_id};
use crate::json;
use crate::keys::{EIP_AUTO_CREATE_OPTION, closest};
use crate::spec::{Bandwidth, PublicIp};

const EXAMPLE: &str = r#"{"ip_type":"5_bgp","bandwidth_size":5,"share_type":"PER","charge_mode":"traffic"}"#;
const FIELDS: [&str; 5] = ["ip_type", "bandwidth_size", "share_type", "charge_mode", "share_id"];

/// Reads the value of the annotation. `None` where a problem was found.
pub(crate) fn parse(text: &str, errors: &mut Vec<Problem>, warnings: &mut Vec<Problem>) -> Option<PublicIp> {
    let map = match json::object(EIP_AUTO_CREATE_OPTION, text, EXAMPLE) {
        Ok(map) => map,
        Err(problem) => {
            errors.push(problem);
            return None;
        }
    };
    let before = errors.len();
    let mut bad = |field: &str, message: String, valid: &str| errors.push(problem(field, message, valid));
    let kind = word(&map, "ip_type").unwrap_or_default();
    if kind.is_empty() {
        bad("ip_type", "missing: the line of the EIP".into(), "for instance \"5_bgp\"");
    }
    let share_type = word(&map, "share_type").unwrap_or_else(|| "PER".into());
    let share_id = word(&map, "share_id");
    let bandwidth = match share_type.as_str() {
        "PER" => {
            if share_id.is_some() {
                let valid = "\"share_type\":\"WHOLE\" for a bandwidth that several EIPs share";
                warnings.push(problem("share_id", "without effect with share_type PER".into(), valid));
            }
            own_bandwidth(&map, &mut bad)
        }
        "WHOLE" => shared_bandwidth(share_id, &mut bad),
        _ => {
            bad("share_type", format!("\"{share_type}\" is not known"), "PER or WHOLE");
            None
        }
    };
    for field in map.keys().filter(|f| !FIELDS.contains(&f.as_str())) {
        let valid = closest(field, FIELDS.into_iter()).map(|near| format!("did you mean {near}?"));
        warnings.push(problem(field, "unknown field, ignored".into(), &valid.unwrap_or_default()));
    }
    bandwidth.filter(|_| errors.len() == before).map(|bandwidth| PublicIp { kind, bandwidth })
}

fn own_bandwidth(map: &Map<String, Value>, bad: &mut impl FnMut(&str, String, &str)) -> Option<Bandwidth> {
    let size = map.get("bandwidth_size").cloned().unwrap_or_default();
    let number = size.as_u64().or_else(|| size.as_str()?.trim().parse().ok()).unwrap_or_default();
    let number = u32::try_from(number).ok().filter(|size| (1..=2000).contains(size));
    if number.is_none() {
        let message = format!("{} is not a size", json::shown(&size));
        bad("bandwidth_size", message, "a whole number of Mbit/s from 1 to 2000");
    }
    let charge_mode = word(map, "charge_mode").unwrap_or_else(|| "traffic".into());
    if !["traffic", "bandwidth"].contains(&charge_mode.as_str()) {
        bad("charge_mode", format!("\"{charge_mode}\" is not known"), "traffic or bandwidth");
    }
    Some(Bandwidth::Own { name: None, size: number?, charge_mode })
}

/// Size and charge mode are those that the shared bandwidth has.
fn shared_bandwidth(id: Option<String>, bad: &mut impl FnMut(&str, String, &str)) -> Option<Bandwidth> {
    match id {
        Some(id) if is_id(&id) => return Some(Bandwidth::Shared(id)),
        Some(id) => bad("share_id", format!("\"{id}\" is not an id"), ID_FORM),
        None => bad("share_id", "missing: needed for \"share_type\":\"WHOLE\"".into(), "the id of a shared bandwidth"),
    }
    None
}

/// A text, as JSON has it; the empty one counts as absent, and what is none is shown as it is.
fn word(map: &Map<String, Value>, field: &str) -> Option<String> {
    let value = map.get(field).filter(|v| !v.is_null())?;
    let text = value.as_str().map_or_else(|| json::shown(value), str::to_owned);
    Some(text).filter(|text| !text.is_empty())
}

fn problem(field: &str, message: String, valid: &str) -> Problem {
    Problem { option: EIP_AUTO_CREATE_OPTION.to_owned(), at: format!("$.{field}"), message, valid: valid.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (Option<PublicIp>, Vec<String>) {
        let (mut errors, mut warnings) = (Vec::new(), Vec::new());
        let spec = parse(text, &mut errors, &mut warnings);
        (spec, errors.iter().chain(&warnings).map(|p| p.at.clone()).collect())
    }

    #[test]
    fn the_words_of_the_open_controller_are_read() {
        let (spec, problems) = parsed(r#"{"ip_type":"5_bgp","bandwidth_size":"10","share_type":"PER"}"#);
        let bandwidth = Bandwidth::Own { name: None, size: 10, charge_mode: "traffic".into() };
        let wished = PublicIp { kind: "5_bgp".into(), bandwidth };
        assert_eq!((spec, problems), (Some(wished), Vec::new()));
        let (spec, problems) = parsed(r#"{"ip_type":"5_bgp","bandwidth_size":5,"chargemode":"traffic"}"#);
        assert_eq!((spec.is_some(), problems), (true, vec!["$.chargemode".to_owned()]));
    }

    #[test]
    fn a_bandwidth_may_be_shared() {
        let (spec, problems) = parsed(r#"{"ip_type":"5_bgp","share_type":"WHOLE","share_id":"bw-1"}"#);
        let wished = PublicIp { kind: "5_bgp".into(), bandwidth: Bandwidth::Shared("bw-1".into()) };
        assert_eq!((spec, problems), (Some(wished), Vec::new()));
        for id in ["", r#","share_id":"bw/1""#] {
            let (spec, problems) = parsed(&format!(r#"{{"ip_type":"5_bgp","share_type":"WHOLE"{id}}}"#));
            assert_eq!((spec, problems), (None, vec!["$.share_id".to_owned()]));
        }
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let (spec, problems) = parsed(r#"{"bandwidth_size":0,"charge_mode":"free","share_id":"bw-1"}"#);
        assert_eq!(spec, None);
        assert_eq!(problems, ["$.ip_type", "$.bandwidth_size", "$.charge_mode", "$.share_id"]);
        assert_eq!(parsed(r#"{"ip_type":"5_bgp","share_type":"whole"}"#).1, ["$.share_type"]);
        assert_eq!(parsed("{").0, None);
    }
}
