//! Calls to the cloud.
//!
//! [`send`] makes one call: rate limit, deadline, signature or token, error class, one line in the log. It repeats none
//! but one that was turned away at the door because its token had ended.
//! [`elb`], [`eip`] and [`nat`] hold the calls and their wire structs. The network itself is a [`Transport`], time a
//! [`Clock`], credentials a [`CredentialsSource`]: all passed in.

mod clock;
mod credentials;
pub(crate) mod eip;
pub(crate) mod elb;
mod endpoint;
mod http;
mod limit;
pub(crate) mod nat;
mod page;
mod record;
mod refusal;
mod send;
mod sign;
mod token;
mod transport;
mod wire;

pub use clock::{Clock, SystemClock};
pub use credentials::{
    Agency, Credentials, CredentialsError, CredentialsSource, FileCredentials, Keys, StaticCredentials, User,
};
pub use http::HttpTransport;
pub use record::{CallRecord, Observer};
pub use transport::{Method, Request, Response, Transport, TransportError};

pub(crate) use refusal::{CONFLICT, EIP_IN_USE, NO_SUCH_PATH, PORT_TAKEN, TARGET_TAKEN};
pub(crate) use send::{Client, Effect};
