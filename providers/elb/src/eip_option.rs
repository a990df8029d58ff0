//! `elb.eip-auto-create-option`: the EIP to make, in the words of the open controller.

use ferrolb_provider::Problem;
use serde_json::{Map, Value};

use crate::json;
use crate::keys::{EIP_AUTO_CREATE_OPTION, closest};
use crate::spec::PublicIp;

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
    let size = map.get("bandwidth_size").cloned().unwrap_or_default();
    let bandwidth_size = size.as_u64().or_else(|| size.as_str()?.trim().parse().ok()).unwrap_or_default();
    let bandwidth_size = u32::try_from(bandwidth_size).ok().filter(|size| (1..=2000).contains(size));
    if bandwidth_size.is_none() {
        let message = format!("{} is not a size", json::shown(&size));
        bad("bandwidth_size", message, "a whole number of Mbit/s from 1 to 2000");
    }
    let share_type = word(&map, "share_type").unwrap_or_else(|| "PER".into());
    if share_type != "PER" {
        let message = format!("\"{share_type}\" is not supported: the EIP has a bandwidth of its own");
        bad("share_type", message, "PER");
    }
    let charge_mode = word(&map, "charge_mode").unwrap_or_else(|| "traffic".into());
    if !["traffic", "bandwidth"].contains(&charge_mode.as_str()) {
        bad("charge_mode", format!("\"{charge_mode}\" is not known"), "traffic or bandwidth");
    }
    for field in map.keys().filter(|f| !FIELDS.contains(&f.as_str())) {
        let valid = closest(field, FIELDS.into_iter()).map(|near| format!("did you mean {near}?"));
        warnings.push(problem(field, "unknown field, ignored".into(), &valid.unwrap_or_default()));
    }
    (errors.len() == before).then(|| PublicIp {
        kind,
        bandwidth_name: None,
        bandwidth_size: bandwidth_size.unwrap_or_default(),
        charge_mode,
    })
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
        let wished =
            PublicIp { kind: "5_bgp".into(), bandwidth_name: None, bandwidth_size: 10, charge_mode: "traffic".into() };
        assert_eq!((spec, problems), (Some(wished), Vec::new()));
        let (spec, problems) = parsed(r#"{"ip_type":"5_bgp","bandwidth_size":5,"chargemode":"traffic"}"#);
        assert_eq!((spec.is_some(), problems), (true, vec!["$.chargemode".to_owned()]));
    }

    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let (spec, problems) = parsed(r#"{"bandwidth_size":0,"share_type":"WHOLE","charge_mode":"free"}"#);
        assert_eq!(spec, None);
        assert_eq!(problems, ["$.ip_type", "$.bandwidth_size", "$.share_type", "$.charge_mode"]);
        assert_eq!(parsed("{").0, None);
    }
}
