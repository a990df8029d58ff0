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
        (404, vpc("VPC.0504"), "not found", "not found"),
        (500, vpc("VPC.0504"), "ambiguous", "unavailable"),
        (500, elb("ELB.8904"), "ambiguous", "unavailable"),
        (403, vpc("VPC.0010"), "denied", "denied"),
        (500, vpc("VPC.0516"), "refused", "refused"),
        (500, vpc("VPC.0503"), "ambiguous", "unavailable"),
        (302, String::new(), "refused", "refused"),
    ];
    for (status, body, create, other) in table {
        let response = answer(status, &body);
        let error = classify("POST /x", Effect::Once, &response);
        assert_eq!(word(&error), create, "create: {status} {body}: {error}");
        for effect in [Effect::Read, Effect::Repeatable] {
            let error = classify("GET /x", effect, &response);
            assert_eq!(word(&error), other, "{effect:?}: {status} {body}: {error}");
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
