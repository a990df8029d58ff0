use super::*;

fn answer(status: u16, body: &str) -> Response {
    Response { status, headers: vec![("x-request-id".into(), "req-1".into())], body: body.as_bytes().to_vec() }
}

fn elb(code: &str) -> String {
    format!(r#"{{"error_code":"{code}","error_msg":"words","request_id":"req-body"}}"#)
}

fn vpc(code: &str) -> String {
    format!(r#"{{"code":"{code}","message":"words"}}"#)
}

fn word(error: &ProviderError) -> &'static str {
    match error {
        ProviderError::Refused(_) => "refused",
        ProviderError::NotFound(_) => "not found",
        ProviderError::Throttled { .. } => "throttled",
        ProviderError::Ambiguous(_) => "ambiguous",
        ProviderError::Denied(_) => "denied",
        ProviderError::Unavailable(_) => "unavailable",
    }
}

#[test]
fn codes_decide_before_the_status_does() {
    // Status, body, what it means for a create, what for anything else.
    let table = [
        (400, elb("ELB.8902"), "refused", "refused"),
        (400, elb("ELB.9807"), "refused", "refused"),
        (403, elb("ELB.1091"), "refused", "refused"),
        (409, elb("ELB.8905"), "refused", "refused"),
        (409, elb("ELB.8907"), "refused", "refused"),
        (403, elb("ELB.8962"), "refused", "refused"),
        (404, elb("ELB.8904"), "not found", "not found"),
        (400, elb("NAT.0309"), "refused", "refused"),
        (400, elb("NAT.0102"), "ambiguous", "unavailable"),
        (400, elb("NAT.0105"), "not found", "not found"),
        (404, elb("APIG.0101"), "refused", "refused"),
        (404, elb("APIGW.0101"), "refused", "refused"),
        (401, elb("APIG.0301"), "denied", "denied"),
        (401, elb("APIGW.0301"), "denied", "denied"),
        (401, elb("ELB.1103"), "denied", "denied"),
        (403, elb("ELB.9802"), "denied", "denied"),
        (403, elb("SYS.0403"), "denied", "denied"),
        (403, String::new(), "denied", "denied"),
        (429, elb("APIGW.0308"), "throttled", "throttled"),
        (429, String::new(), "throttled", "throttled"),
        (400, elb("APIG.0308"), "throttled", "throttled"),
        (500, elb("ELB.8906"), "ambiguous", "unavailable"),
        (502, "<html>bad gateway</html>".into(), "ambiguous", "unavailable"),
        (504, String::new(), "ambiguous", "unavailable"),
        (409, vpc("VPC.0521"), "refused", "refused"),
        (409, vpc("EIP.7905"), "refused", "refused"),
        (409, vpc("VPC.0510"), "refused", "refused"),
        (409, vpc("VPC.0517"), "refused", "refused"),
        (409, vpc("VPC.0512"), "ambiguous", "unavailable"),
        // An answer that nobody can read may have said just that (simulator, seed 3917).
        (409, "[".repeat(10_000), "ambiguous", "unavailable"),
        (404, vpc("VPC.0504"), "not found", "not found"),
        (500, vpc("VPC.0504"), "ambiguous", "unavailable"),
        (500, elb("ELB.8904"), "ambiguous", "unavailable"),
        (403, vpc("VPC.0010"), "denied", "denied"),
        (500, vpc("VPC.0516"), "refused", "refused"),
        (500, vpc("VPC.0503"), "ambiguous", "unavailable"),
        (302, String::new(), "refused", "refused"),
    ];
    assert_means(&table);
}

/// Each code of the vendor's tables of errors, with the status that they give for it.
#[test]
fn the_vendors_tables_are_known_to_their_last_code() {
    let many = |status: u16, codes: &[&str], create: &'static str, other: &'static str| {
        codes.iter().map(|code| (status, elb(code), create, other)).collect::<Vec<_>>()
    };
    let refused = |status, codes: &[&str]| many(status, codes, "refused", "refused");
    let denied = |status, codes: &[&str]| many(status, codes, "denied", "denied");
    let busy = |status, codes: &[&str]| many(status, codes, "ambiguous", "unavailable");
    let table = [
        refused(400, &["ELB.8902", "ELB.8934", "ELB.8938", "ELB.8939", "ELB.8950", "ELB.8959", "ELB.9805", "ELB.9807"]),
        refused(400, &["ELB.9899", "ELB.1202", "ELB.1101", "ELB.5020", "ELB.5040", "ELB.6200", "ELB.9800", "ELB.9801"]),
        denied(401, &["ELB.1103", "ELB.1104", "ELB.1105", "ELB.1109", "SYS.0401"]),
        refused(403, &["ELB.8962", "ELB.1091", "ELB.2001", "ELB.6091"]),
        denied(403, &["ELB.9802", "ELB.9803", "ELB.9804", "SYS.0403"]),
        many(404, &["ELB.8904", "ELB.1002"], "not found", "not found"),
        refused(409, &["ELB.8905", "ELB.8907"]),
        busy(500, &["ELB.8906"]),
        refused(400, &["VPC.0501", "VPC.0301"]),
        denied(403, &["VPC.0502", "VPC.0010"]),
        many(404, &["VPC.0504", "VPC.0306"], "not found", "not found"),
        refused(409, &["VPC.0521", "VPC.0532", "VPC.0522", "VPC.0510", "VPC.0511", "VPC.0517", "EIP.7905", "EIP.7902"]),
        busy(409, &["VPC.0512"]),
        refused(500, &["VPC.0516"]),
        busy(500, &["VPC.0503", "VPC.0504", "VPC.0514"]),
        busy(400, &["NAT.0102", "NAT.0103", "NAT.0106", "VPC.2030", "VPC.2050"]),
        many(400, &["NAT.0105", "VPC.2007"], "not found", "not found"),
        many(404, &["NAT.0105", "NAT.0319", "VPC.2007"], "not found", "not found"),
        refused(400, &["NAT.0104", "NAT.0301", "NAT.0302", "NAT.0303", "NAT.0304", "NAT.0305", "NAT.0306", "NAT.0307"]),
        refused(400, &["NAT.0308", "NAT.0309", "NAT.0310", "NAT.0312", "NAT.0313", "NAT.0314", "NAT.0315", "NAT.0317"]),
        refused(400, &["NAT.0318", "NAT.0401", "NAT.0402", "NAT.0404", "NAT.0405", "NAT.0407", "NAT.0408", "NAT.0409"]),
        refused(400, &["VPC.2023", "VPC.2024"]),
        denied(401, &["APIG.0301", "APIGW.0301", "APIG.0307"]),
        refused(404, &["APIG.0101", "APIGW.0101"]),
        refused(413, &["APIG.0201"]),
        many(429, &["APIG.0308", "APIGW.0308"], "throttled", "throttled"),
    ];
    assert_means(&table.concat());
}

fn assert_means(table: &[(u16, String, &'static str, &'static str)]) {
    for (status, body, create, other) in table {
        let response = answer(*status, body);
        let error = classify("POST /x", Effect::Once, &response);
        assert_eq!(word(&error), *create, "create: {status} {body}: {error}");
        for effect in [Effect::Read, Effect::Repeatable] {
            let error = classify("GET /x", effect, &response);
            assert_eq!(word(&error), *other, "{effect:?}: {status} {body}: {error}");
        }
    }
}

#[test]
fn every_shape_of_body_gives_code_and_text() {
    let bodies = [
        (elb("ELB.9899"), Some("ELB.9899"), "words"),
        (vpc("ELB.9899"), Some("ELB.9899"), "words"),
        (r#"{"error":{"message":"words","code":"ELB.9899"}}"#.into(), Some("ELB.9899"), "words"),
        (r#"{"NeutronError":{"type":"BadRequest","message":"words","detail":""}}"#.into(), Some("BadRequest"), "words"),
        ("<h1>no</h1>".into(), None, "<h1>no</h1>"),
        (String::new(), None, "HTTP status 400 without an explanation"),
    ];
    for (body, code, message) in bodies {
        let error = classify("PUT /x", Effect::Repeatable, &answer(400, &body));
        let detail = error.detail();
        assert_eq!(detail.code.as_deref(), code, "{body}");
        assert_eq!(detail.message, message, "{body}");
        assert_eq!(detail.call, "PUT /x");
        assert_eq!(detail.request_id.as_deref(), Some("req-1"), "{body}");
    }
}

#[test]
fn a_gateway_that_knows_no_such_call_is_told_from_a_service_that_knows_no_such_object() {
    for (status, body, is) in [
        (404, elb("APIG.0101"), true),
        (404, elb("ELB.8904"), false),
        (404, "<html>nginx</html>".to_owned(), true),
        (404, String::new(), true),
        (405, String::new(), true),
        (405, elb("SYS.0405"), true),
        (400, String::new(), false),
        (403, elb("ELB.8962"), false),
    ] {
        assert_eq!(is_unknown_call(&answer(status, &body)), is, "{status} {body}");
    }
}

#[test]
fn a_wait_may_be_a_moment_by_the_clouds_own_clock() {
    let wait = |headers: &[(&str, &str)]| {
        let mut response = answer(429, "");
        response.headers.extend(headers.iter().map(|(n, v)| (n.to_string(), v.to_string())));
        retry_after(&response).map(|wait| wait.as_secs())
    };
    let (now, then) = ("Sat, 21 Nov 2026 15:00:00 GMT", "Sat, 21 Nov 2026 15:00:42 GMT");
    assert_eq!(wait(&[("retry-after", then), ("date", now)]), Some(42));
    assert_eq!(wait(&[("retry-after", now), ("date", then)]), Some(0), "it is over already");
    assert_eq!(wait(&[("retry-after", then)]), None);
    assert_eq!(wait(&[("retry-after", "soon"), ("date", now)]), None);
}

#[test]
fn a_quota_is_called_a_quota_and_a_wait_is_read() {
    let error = classify("POST /x", Effect::Once, &answer(409, &elb("ELB.8905")));
    assert!(error.detail().message.starts_with("a quota of the cloud is used up"));
    let mut response = answer(429, &elb("APIGW.0308"));
    response.headers.push(("retry-after".into(), " 7".into()));
    let ProviderError::Throttled { after, .. } = classify("GET /x", Effect::Read, &response) else {
        panic!("429 is a throttle");
    };
    assert_eq!(after, Some(Duration::from_secs(7)));
}
