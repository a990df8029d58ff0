//! Stickiness by cookie: the load balancer's own, or one of the application.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Instant;

use hyper::header::{COOKIE, HeaderMap, HeaderValue, SET_COOKIE};

use super::balance::{Balancer, Key};
use super::view::{Backend, Pool, Sticky};

/// Name of our own cookie. What the vendor calls its own is not documented.
const OWN: &str = "ELB_MEMBER";

/// The member that a request's cookie speaks for.
pub fn member(pool: &Pool, balancer: &Balancer, request: &HeaderMap, now: Instant) -> Option<Arc<str>> {
    match pool.sticky.as_ref()? {
        Sticky::Source(_) => None,
        Sticky::Own(_) => {
            let value = cookie(request, OWN)?;
            pool.members.iter().find(|member| mark(member) == value).map(|member| member.id.clone())
        }
        Sticky::Application(name, _) => balancer.recall(&Key::Cookie(cookie(request, name)?.to_owned()), now),
    }
}

/// Sees to it that the client comes back to the member that has answered; `known` is whom its cookie spoke for.
pub fn note(
    pool: &Pool,
    balancer: &Balancer,
    chosen: &Backend,
    known: Option<&str>,
    answer: &mut HeaderMap,
    now: Instant,
) {
    match &pool.sticky {
        Some(Sticky::Own(lasting)) if known != Some(&*chosen.id) => {
            let text = format!("{OWN}={}; Path=/; Max-Age={}; HttpOnly", mark(chosen), lasting.as_secs());
            answer.extend(HeaderValue::from_str(&text).map(|value| (SET_COOKIE, value)));
        }
        Some(Sticky::Application(name, lasting)) => {
            let set = answer.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
            let value = set.filter_map(|line| value_of(line.split(';').next()?, name)).next_back().map(str::to_owned);
            if let Some(value) = value {
                balancer.remember(Key::Cookie(value), &chosen.id, now + *lasting, now);
            }
        }
        _ => {}
    }
}

fn cookie<'a>(request: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = request.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(';')).find_map(|pair| value_of(pair, name))
}

fn value_of<'a>(pair: &'a str, name: &str) -> Option<&'a str> {
    let (own, value) = pair.split_once('=')?;
    (own.trim() == name).then(|| value.trim())
}

/// What stands for a member in our own cookie; its address is nobody's business.
fn mark(member: &Backend) -> String {
    let mut hasher = DefaultHasher::new();
    member.id.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=1; session = x=y ;b=2"));
        headers.append(COOKIE, HeaderValue::from_static("c=3"));
        assert_eq!(cookie(&headers, "session"), Some("x=y"));
        assert_eq!(cookie(&headers, "c"), Some("3"));
        assert_eq!(cookie(&headers, "sess"), None);
    }
}
