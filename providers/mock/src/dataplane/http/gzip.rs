//! Answers of members, compressed for clients that take it: which, as the vendor says, and how.

use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, VARY,
};
use hyper::{Response, StatusCode};

const STATUSES: [StatusCode; 3] = [StatusCode::OK, StatusCode::FORBIDDEN, StatusCode::NOT_FOUND];
const TYPES: [&str; 10] = [
    "text/html",
    "text/xml",
    "text/plain",
    "text/css",
    "application/javascript",
    "application/x-javascript",
    "application/rss+xml",
    "application/atom+xml",
    "application/xml",
    "application/json",
];

/// Whether a client that sends these headers takes it.
pub fn is_accepted(request: &HeaderMap) -> bool {
    let values = request.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut codings = values.flat_map(|value| value.split(','));
    codings.any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().strip_prefix("q=").map_or(Ok(1.0), str::parse::<f32>);
        name.trim().eq_ignore_ascii_case("gzip") && weight.is_ok_and(|weight| weight > 0.0)
    })
}

/// Compresses an answer that is worth it, and says so in its head.
pub fn pack(response: Response<Incoming>) -> Response<Packed> {
    let (mut head, body) = response.into_parts();
    let encoder = is_worth_it(head.status, &head.headers).then(|| GzEncoder::new(Vec::new(), Compression::fast()));
    if encoder.is_some() && !body.is_end_stream() {
        head.headers.remove(CONTENT_LENGTH);
        head.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        head.headers.append(VARY, HeaderValue::from_static("Accept-Encoding"));
        weaken(&mut head.headers);
        return Response::from_parts(head, Packed { body, encoder, after: None });
    }
    Response::from_parts(head, Packed::plain(body))
}

fn is_worth_it(status: StatusCode, headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    STATUSES.contains(&status) && TYPES.contains(&kind.as_str()) && !headers.contains_key(CONTENT_ENCODING)
}

/// A strong tag is for these very bytes, and the client gets others.
fn weaken(headers: &mut HeaderMap) {
    let strong = headers.get(ETAG).and_then(|tag| tag.to_str().ok()).filter(|tag| !tag.starts_with("W/"));
    if let Some(weak) = strong.and_then(|tag| HeaderValue::from_str(&format!("W/{tag}")).ok()) {
        headers.insert(ETAG, weak);
    }
}

/// A member's body, compressed or as it is.
pub struct Packed {
    body: Incoming,
    /// None: it is as it is, or all of it is out.
    encoder: Option<GzEncoder<Vec<u8>>>,
    /// What comes after the last of the compressed bytes.
    after: Option<Frame<Bytes>>,
}

impl Packed {
    /// As it is.
    pub fn plain(body: Incoming) -> Self {
        Self { body, encoder: None, after: None }
    }
}

impl Body for Packed {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let own = &mut *self;
        if let Some(frame) = own.after.take() {
            return Poll::Ready(Some(Ok(frame)));
        }
        let frame = ready!(Pin::new(&mut own.body).poll_frame(cx)).transpose()?;
        let Some(mut encoder) = own.encoder.take() else { return Poll::Ready(frame.map(Ok)) };
        let packed = match frame.map(Frame::into_data) {
            Some(Ok(data)) => {
                let packed = part(&mut encoder, &data)?;
                own.encoder = Some(encoder);
                packed
            }
            Some(Err(trailers)) => {
                own.after = Some(trailers);
                encoder.finish()?
            }
            None => encoder.finish()?,
        };
        Poll::Ready(Some(Ok(Frame::data(packed.into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.encoder.is_none() && self.after.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.encoder {
            Some(_) => SizeHint::default(),
            None => self.body.size_hint(),
        }
    }
}

/// What the client can unpack at once: who reads an answer as it comes does not wait for its end.
fn part(encoder: &mut GzEncoder<Vec<u8>>, data: &[u8]) -> io::Result<Vec<u8>> {
    encoder.write_all(data)?;
    encoder.flush()?;
    Ok(std::mem::take(encoder.get_mut()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn headers(all: &[(&'static str, &'static str)]) -> HeaderMap {
        all.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn clients_say_whether_they_take_it() {
        let table = [
            ("gzip", true),
            ("deflate, GZIP ;q=0.5, br", true),
            ("br", false),
            ("gzip;q=0", false),
            ("gzip;q=0.0, br", false),
            ("x-gzip-like", false),
        ];
        for (value, expected) in table {
            assert_eq!(is_accepted(&headers(&[("accept-encoding", value)])), expected, "{value}");
        }
        assert!(!is_accepted(&HeaderMap::new()));
    }

    #[test]
    fn it_is_worth_it_as_the_vendor_says() {
        let table = [
            (200, &[("content-type", "text/html; charset=utf-8")][..], true),
            (404, &[("content-type", "application/JSON")], true),
            (500, &[("content-type", "text/html")], false),
            (200, &[("content-type", "image/png")], false),
            (200, &[("content-type", "text/html"), ("content-encoding", "br")], false),
            (200, &[], false),
        ];
        for (status, all, expected) in table {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(is_worth_it(status, &headers(all)), expected, "{status} {all:?}");
        }
    }

    #[test]
    fn a_strong_tag_becomes_a_weak_one() {
        for (before, after) in [("\"a\"", "W/\"a\""), ("W/\"a\"", "W/\"a\"")] {
            let mut all = headers(&[("etag", before)]);
            weaken(&mut all);
            assert_eq!(all[ETAG], after);
        }
    }
}
