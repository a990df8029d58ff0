//! What all parts of a running mock share, and the one place where a call takes effect.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use crate::api::{self, Answer, Context, Found, Query};
use crate::auth::{self, Keys, Rejected, Signed};
use crate::calls::Calls;
use crate::config::{Clock, Config};
use crate::dataplane::{Gateway, Sockets};
use crate::faults::Faults;
use crate::holds::Holds;
use crate::state::Cloud;

/// How long after one write of the state file a change may wait for the next.
pub const SAVE_INTERVAL: Duration = Duration::from_millis(100);

/// A running mock.
pub struct App {
    pub keys: Keys,
    pub seed: u64,
    pub calls: Calls,
    pub holds: Holds,
    pub sockets: Sockets,
    pub gateway: Gateway,
    clock: Clock,
    cloud: Mutex<Cloud>,
    faults: Mutex<Faults>,
    state_file: Option<PathBuf>,
    /// Whether the state file is behind, and when it was written last.
    unsaved: AtomicBool,
    written: Mutex<Option<Instant>>,
    /// Tells the data plane that something changed.
    changed: watch::Sender<u64>,
    /// Set at shutdown: late effects must not reach a state file that another instance reads by then.
    closed: AtomicBool,
}

/// A call ready to be executed, now or later.
pub struct Ready {
    pub seq: Option<u64>,
    pub found: Option<Found>,
    pub query: Query,
    pub body: axum::body::Bytes,
}

impl App {
    /// Loads the state file if there is one.
    pub fn new(config: &Config) -> io::Result<Self> {
        let mut cloud = match &config.state_file {
            Some(path) if path.exists() => load(path)?,
            _ => Cloud::new(config.setup()),
        };
        cloud.setup = config.setup();
        Ok(Self {
            keys: Keys::lasting(&config.access_key, &config.secret_key),
            seed: config.seed,
            calls: Calls::default(),
            holds: Holds::default(),
            sockets: Sockets::default(),
            gateway: Gateway::default(),
            clock: config.clock.clone(),
            cloud: Mutex::new(cloud),
            faults: Mutex::new(Faults::new(config.faults.clone())),
            state_file: config.state_file.clone(),
            unsaved: AtomicBool::new(false),
            written: Mutex::new(None),
            changed: watch::Sender::new(0),
            closed: AtomicBool::new(false),
        })
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Whether the caller may come in: by a token, or by a signature with the account's or with temporary keys.
    pub fn authenticate(&self, request: &Signed) -> Result<(), Rejected> {
        let now = self.now();
        if let Some(token) = request.token() {
            return match self.cloud().token_end(token) {
                None => Err(Rejected::UnknownToken),
                Some(end) if end <= now => Err(Rejected::ExpiredToken),
                Some(_) => Ok(()),
            };
        }
        let temporary = |access: &str| {
            self.cloud().temporary_key(access).map(|key| Keys {
                access: key.access.clone(),
                secret: key.secret.clone(),
                security_token: Some(key.security_token.clone()),
                expires_at: Some(key.expires_at),
            })
        };
        let keys = |access: &str| {
            if access == self.keys.access { Some(self.keys.clone()) } else { temporary(access) }
        };
        auth::verify(keys, now, request)
    }

    /// Applies a call to the cloud. Never waits.
    pub fn execute(&self, ready: &Ready) -> Answer {
        let lag = SignedDuration::from_millis(self.faults().plan().list_lag_ms.into());
        let now = self.now();
        let mut cloud = self.cloud();
        if self.closed.load(Ordering::SeqCst) {
            return Answer::error(503, "APIG.0106", "shutting down");
        }
        let before = cloud.revision();
        let mut context = Context { cloud: &mut cloud, now, lag };
        let answer = api::dispatch(&mut context, ready.found.as_ref(), ready.query.clone(), &ready.body);
        if cloud.revision() != before {
            if let Some(seq) = ready.seq {
                self.calls.effective(seq);
            }
            self.settle(&cloud);
        }
        answer
    }

    /// Changes the cloud from outside the API.
    pub fn change<T>(&self, change: impl FnOnce(&mut Cloud) -> T) -> T {
        let mut cloud = self.cloud();
        let result = change(&mut cloud);
        self.settle(&cloud);
        result
    }

    pub fn ledger(&self) -> serde_json::Value {
        let now = self.now();
        let mut cloud = self.cloud();
        api::ledger(&Context { cloud: &mut cloud, now, lag: SignedDuration::ZERO })
    }

    pub fn cloud(&self) -> MutexGuard<'_, Cloud> {
        self.cloud.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the data plane without storing anything: for health, which is not stored.
    pub fn wake(&self) {
        self.changed.send_modify(|count| *count += 1);
    }

    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    pub fn close(&self) {
        self.save();
        let _cloud = self.cloud();
        self.closed.store(true, Ordering::SeqCst);
    }

    /// Writes what is not written yet. Called now and then while the cloud runs, and at its end.
    pub fn save(&self) {
        let cloud = self.cloud();
        if self.unsaved.load(Ordering::SeqCst) && !self.closed.load(Ordering::SeqCst) {
            self.write(&cloud);
        }
    }

    /// A change after a quiet time is written before it is answered; in a flurry only the last of each moment is.
    fn settle(&self, cloud: &Cloud) {
        if self.state_file.is_some() {
            self.unsaved.store(true, Ordering::SeqCst);
            let written = *self.written.lock().unwrap_or_else(PoisonError::into_inner);
            if written.is_none_or(|written| written.elapsed() >= SAVE_INTERVAL) {
                self.write(cloud);
            }
        }
        self.wake();
    }

    fn write(&self, cloud: &Cloud) {
        if let Some(path) = &self.state_file
            && let Err(error) = save(path, cloud)
        {
            tracing::error!(path = %path.display(), %error, "cannot write the state file");
        }
        self.unsaved.store(false, Ordering::SeqCst);
        *self.written.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }
}

fn load(path: &Path) -> io::Result<Cloud> {
    let text = std::fs::read(path)?;
    serde_json::from_slice(&text)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, format!("{}: {error}", path.display())))
}

/// Writes beside the file and renames, so that a killed process leaves the old or the new state.
fn save(path: &Path, cloud: &Cloud) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    std::fs::write(&beside, serde_json::to_vec(cloud)?)?;
    std::fs::rename(&beside, path)
}
