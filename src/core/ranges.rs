//! Who may connect: `spec.loadBalancerSourceRanges`, or the older annotation.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ferrolb_provider::{Family, Problem};
use ipnet::IpNet;
use k8s_openapi::api::core::v1::Service;

/// The annotation from before there was a field; it counts where the field is empty.
pub(crate) const ANNOTATION: &str = "service.beta.kubernetes.io/load-balancer-source-ranges";
const FIELD: &str = "spec.loadBalancerSourceRanges";

/// The ranges, sorted, without duplicates and host bits; empty when everybody may connect.
///
/// # Errors
/// One problem for each entry that is not a range.
pub(crate) fn source_ranges(svc: &Service, families: &[Family]) -> Result<Vec<IpNet>, Vec<Problem>> {
    let spec = svc.spec.as_ref();
    let field = spec.and_then(|s| s.load_balancer_source_ranges.as_deref());
    let annotations = svc.metadata.annotations.as_ref();
    let annotation = annotations.and_then(|a| a.get(ANNOTATION)).map(|v| v.trim());
    let (option, entries): (&str, Vec<&str>) = match (field.unwrap_or_default(), annotation) {
        ([], None | Some("")) => return Ok(Vec::new()),
        ([], Some(list)) => (ANNOTATION, list.split(',').collect()),
        (list, _) => (FIELD, list.iter().map(String::as_str).collect()),
    };
    let mut ranges = BTreeSet::new();
    let mut problems = Vec::new();
    for (index, entry) in entries.into_iter().enumerate() {
        match entry.trim().parse::<IpNet>() {
            Ok(range) => drop(ranges.insert(range.trunc())),
            Err(_) => problems.push(Problem {
                option: option.to_owned(),
                at: format!("[{index}]"),
                message: format!("{entry:?} is not a range of addresses"),
                valid: hint(entry.trim()),
            }),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    // A range of all addresses of each family that the Service has restricts nothing.
    let open = |family: &Family| {
        let all = |r: &&IpNet| r.prefix_len() == 0 && Family::of(&r.addr()) == *family;
        ranges.iter().any(|r| all(&r))
    };
    if families.iter().all(open) {
        return Ok(Vec::new());
    }
    Ok(ranges.into_iter().collect())
}

fn hint(entry: &str) -> String {
    match entry.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => format!("for one address write {ip}/32"),
        Ok(IpAddr::V6(ip)) => format!("for one address write {ip}/128"),
        Err(_) if entry == "*" => "for everybody write 0.0.0.0/0".into(),
        Err(_) if entry.is_empty() => "remove the comma too much".into(),
        Err(_) => "write it like 192.0.2.0/24 or 2001:db8::/32".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builders::{annotate, service};

    fn field(ranges: &[&str]) -> Service {
        let mut svc = service("web");
        let list = ranges.iter().map(|r| (*r).to_owned()).collect();
        svc.spec.get_or_insert_default().load_balancer_source_ranges = Some(list);
        svc
    }

    fn shown(svc: &Service, families: &[Family]) -> String {
        match source_ranges(svc, families) {
            Ok(ranges) => ranges.iter().map(|r| format!("{r} ")).collect(),
            Err(problems) => problems.iter().map(|p| format!("{p}\n")).collect(),
        }
    }

    #[test]
    fn ranges_of_the_field() {
        use Family::{V4, V6};
        let table: [(&[&str], &[Family], &str); 8] = [
            (&[], &[V4], ""),
            (&["10.0.0.0/8"], &[V4], "10.0.0.0/8 "),
            (&[" 192.168.1.5/24", "10.0.0.0/8", "192.168.1.0/24"], &[V4], "10.0.0.0/8 192.168.1.0/24 "),
            (&["0.0.0.0/0", "10.0.0.0/8"], &[V4], ""),
            (&["192.168.0.0/0"], &[V4], ""),
            (&["0.0.0.0/0"], &[V4, V6], "0.0.0.0/0 "),
            (&["0.0.0.0/0", "::/0"], &[V4, V6], ""),
            (&["10.0.0.0/8"], &[V6], "10.0.0.0/8 "),
        ];
        for (ranges, families, expected) in table {
            assert_eq!(shown(&field(ranges), families), expected, "{ranges:?}");
        }
    }

    #[test]
    fn the_annotation_counts_where_the_field_is_empty() {
        let svc = annotate(service("web"), ANNOTATION, "10.0.0.0/8 , 10.1.0.0/16");
        assert_eq!(shown(&svc, &[Family::V4]), "10.0.0.0/8 10.1.0.0/16 ");
        let svc = annotate(field(&["10.2.0.0/16"]), ANNOTATION, "*");
        assert_eq!(shown(&svc, &[Family::V4]), "10.2.0.0/16 ");
        let svc = annotate(service("web"), ANNOTATION, "");
        assert_eq!(shown(&svc, &[Family::V4]), "");
    }

    #[test]
    fn every_bad_entry_is_told_with_its_place_and_what_is_right() {
        let svc = annotate(service("web"), ANNOTATION, "10.0.0.1,*,2001:db8::1,10.0.0.0/33,");
        assert_eq!(
            shown(&svc, &[Family::V4]),
            format!(
                "{ANNOTATION} at [0]: \"10.0.0.1\" is not a range of addresses; for one address write 10.0.0.1/32\n\
                 {ANNOTATION} at [1]: \"*\" is not a range of addresses; for everybody write 0.0.0.0/0\n\
                 {ANNOTATION} at [2]: \"2001:db8::1\" is not a range of addresses; for one address write 2001:db8::1/128\n\
                 {ANNOTATION} at [3]: \"10.0.0.0/33\" is not a range of addresses; write it like 192.0.2.0/24 or 2001:db8::/32\n\
                 {ANNOTATION} at [4]: \"\" is not a range of addresses; remove the comma too much\n"
            )
        );
    }
}
