//! The signatures were computed by an independent implementation (Python's hmac and urllib).
#![allow(clippy::unwrap_used)]

use super::*;

const PROJECT: &str = "0123456789abcdef0123456789abcdef";

fn signature(request: &Unsigned<'_>, token: Option<&str>) -> String {
    let keys = Keys {
        access_key: "AKEXAMPLE".into(),
        secret_key: "sk-example".to_owned().into(),
        security_token: token.map(|t| t.to_owned().into()),
    };
    let now: Timestamp = "2026-11-20T21:01:47Z".parse().unwrap();
    let headers = headers(request, &keys, now);
    assert!(headers.iter().all(|(name, _)| name != "host"));
    let of = |name: &str| headers.iter().find(|(n, _)| n == name).unwrap().1.clone();
    assert_eq!(of("x-sdk-date"), "20261120T210147Z");
    of("authorization")
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = pairs.iter().map(|(n, v)| (n.to_string(), v.to_string()));
    owned.collect()
}

#[test]
fn a_plain_read() {
    let path = format!("/v3/{PROJECT}/elb/loadbalancers");
    let request = Unsigned {
        method: Method::Get,
        host: "elb.example.com",
        path: &path,
        query: &[],
        body: b"",
        project_id: PROJECT,
    };
    assert_eq!(
        signature(&request, None),
        "SDK-HMAC-SHA256 Access=AKEXAMPLE, SignedHeaders=host;x-project-id;x-sdk-date, \
         Signature=da1c9244627ad14eddd64d0d1f0bc65b4c54127a8f74c7c32bb63f8800ccde9d"
    );
}

#[test]
fn a_query_with_repeated_names_blanks_and_letters_beyond_ascii() {
    let path = format!("/v3/{PROJECT}/elb/pools");
    let query = pairs(&[
        ("limit", "500"),
        ("description", "ferrolb.io/owner cluster=c uid=ü service=a/b"),
        ("id", "b"),
        ("id", "a"),
        ("empty", ""),
    ]);
    let request = Unsigned {
        method: Method::Get,
        host: "127.0.0.1:8080",
        path: &path,
        query: &query,
        body: b"",
        project_id: PROJECT,
    };
    assert_eq!(
        signature(&request, None),
        "SDK-HMAC-SHA256 Access=AKEXAMPLE, SignedHeaders=host;x-project-id;x-sdk-date, \
         Signature=bd8c9d10a3a27515a884d55961278de905fcf7363a2ff05fb7f400b672f7fd3f"
    );
    assert_eq!(
        super::query(&query),
        "description=ferrolb.io%2Fowner%20cluster%3Dc%20uid%3D%C3%BC%20service%3Da%2Fb&empty=&id=a&id=b&limit=500"
    );
}

#[test]
fn a_write_with_a_token() {
    let path = format!("/base dir/v3/{PROJECT}/elb/pools");
    let request = Unsigned {
        method: Method::Post,
        host: "elb.example.com",
        path: &path,
        query: &[],
        body: br#"{"pool":{"name":"x"}}"#,
        project_id: PROJECT,
    };
    assert_eq!(
        signature(&request, Some("tok")),
        "SDK-HMAC-SHA256 Access=AKEXAMPLE, SignedHeaders=content-type;host;x-project-id;x-sdk-date;x-security-token, \
         Signature=c1207b6bab7913c848b6bda4bf673ebf521bd605fb69d6c90a12ca1734164528"
    );
}
