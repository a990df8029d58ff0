//! Health monitors: what to probe, how often, and when to believe it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::loadbalancer::set;
use super::{Cloud, Protocol, Refusal, quota};

pub const KIND: &str = "Health Monitor";

/// A health monitor; `delay` and `timeout` in seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Monitor {
    pub id: String,
    pub pool_id: String,
    pub name: String,
    pub kind: MonitorType,
    pub delay: u32,
    pub timeout: u32,
    pub max_retries: u32,
    pub max_retries_down: u32,
    pub monitor_port: Option<u16>,
    pub expected_codes: Codes,
    pub http_method: String,
    pub url_path: String,
    pub domain_name: Option<String>,
    pub admin_state_up: bool,
}

/// How a member is probed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MonitorType {
    Tcp,
    UdpConnect,
    Http,
    Https,
    Tls,
    Grpc,
}

/// `200`, `200,202` or `200-204`; at most five items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Codes(String);

/// A health monitor as wished.
#[derive(Debug, Clone)]
pub struct NewMonitor {
    pub pool_id: String,
    pub name: String,
    pub kind: MonitorType,
    pub delay: u32,
    pub timeout: u32,
    pub max_retries: u32,
    pub max_retries_down: Option<u32>,
    pub monitor_port: Option<u16>,
    pub expected_codes: Option<Codes>,
    pub http_method: Option<String>,
    pub url_path: Option<String>,
    pub domain_name: Option<String>,
    pub admin_state_up: bool,
}

/// Changes; `None` leaves a field alone.
#[derive(Debug, Clone, Default)]
pub struct MonitorPatch {
    pub name: Option<String>,
    pub kind: Option<MonitorType>,
    pub delay: Option<u32>,
    pub timeout: Option<u32>,
    pub max_retries: Option<u32>,
    pub max_retries_down: Option<u32>,
    pub monitor_port: Option<Option<u16>>,
    pub expected_codes: Option<Codes>,
    pub http_method: Option<String>,
    pub url_path: Option<String>,
    pub domain_name: Option<Option<String>>,
    pub admin_state_up: Option<bool>,
}

impl Cloud {
    pub fn create_monitor(&mut self, now: Timestamp, new: NewMonitor) -> Result<String, Refusal> {
        let pool = self.pool(&new.pool_id)?;
        check_type(pool.protocol, new.kind)?;
        if pool.any_port_enable && new.monitor_port.is_none() {
            return Err(Refusal::Missing("monitor_port"));
        }
        if let Some(other) = &pool.healthmonitor_id {
            return Err(Refusal::Conflict(format!("Pool {} already has health monitor {other}", new.pool_id)));
        }
        quota::check("healthmonitor", self.quotas.healthmonitor, self.monitors.len(), 1)?;
        let id = self.new_id();
        let monitor = Monitor {
            id: id.clone(),
            pool_id: new.pool_id.clone(),
            name: new.name,
            kind: new.kind,
            delay: new.delay,
            timeout: new.timeout,
            max_retries: new.max_retries,
            max_retries_down: new.max_retries_down.unwrap_or(3),
            monitor_port: new.monitor_port,
            expected_codes: new.expected_codes.unwrap_or_else(|| Codes::default_for(new.kind)),
            http_method: new.http_method.unwrap_or_else(|| "GET".into()),
            url_path: new.url_path.unwrap_or_else(|| "/".into()),
            domain_name: new.domain_name,
            admin_state_up: new.admin_state_up,
        };
        self.monitors.insert(id.clone(), now, monitor);
        let monitor = Some(id.clone());
        self.pools.update(&new.pool_id, now, |pool| pool.healthmonitor_id = monitor);
        self.touch();
        Ok(id)
    }

    pub fn update_monitor(&mut self, now: Timestamp, id: &str, patch: MonitorPatch) -> Result<(), Refusal> {
        let pool = self.pool(&self.monitor(id)?.pool_id)?;
        if let Some(kind) = patch.kind {
            check_type(pool.protocol, kind)?;
        }
        let changed = self.monitors.update(id, now, |m| {
            set(&mut m.name, patch.name);
            set(&mut m.kind, patch.kind);
            set(&mut m.delay, patch.delay);
            set(&mut m.timeout, patch.timeout);
            set(&mut m.max_retries, patch.max_retries);
            set(&mut m.max_retries_down, patch.max_retries_down);
            set(&mut m.monitor_port, patch.monitor_port);
            set(&mut m.expected_codes, patch.expected_codes);
            set(&mut m.http_method, patch.http_method);
            set(&mut m.url_path, patch.url_path);
            set(&mut m.domain_name, patch.domain_name);
            set(&mut m.admin_state_up, patch.admin_state_up);
        });
        self.touch_if(changed);
        Ok(())
    }

    pub fn delete_monitor(&mut self, now: Timestamp, id: &str) -> Result<(), Refusal> {
        let pool = self.monitor(id)?.pool_id.clone();
        self.monitors.remove(id, now);
        self.pools.update(&pool, now, |pool| pool.healthmonitor_id = None);
        let members: Vec<String> =
            self.pools.get(&pool).into_iter().flat_map(|pool| pool.members.iter()).map(|(id, _)| id.clone()).collect();
        for member in members {
            self.health.remove(&member);
        }
        self.touch();
        Ok(())
    }

    pub fn monitor(&self, id: &str) -> Result<&Monitor, Refusal> {
        self.monitors.get(id).ok_or_else(|| Refusal::not_found(KIND, id))
    }
}

impl Codes {
    pub fn parse(text: &str) -> Option<Self> {
        let items: Vec<&str> = text.split(',').collect();
        let is_code = |code: &str| code.parse::<u16>().is_ok_and(|code| (0..=599).contains(&code));
        let is_item = |item: &&str| match item.trim().split_once('-') {
            Some((low, high)) => is_code(low) && is_code(high) && low.len() == high.len() && low <= high,
            None => is_code(item.trim()),
        };
        (items.len() <= 5 && items.iter().all(is_item)).then(|| Self(text.to_owned()))
    }

    pub fn accept(&self, code: u16) -> bool {
        let number = |text: &str| text.trim().parse::<u16>().ok();
        self.0.split(',').any(|item| match item.split_once('-') {
            Some((low, high)) => number(low).zip(number(high)).is_some_and(|(low, high)| (low..=high).contains(&code)),
            None => number(item) == Some(code),
        })
    }

    fn default_for(kind: MonitorType) -> Self {
        Self(if kind == MonitorType::Grpc { "0" } else { "200" }.to_owned())
    }
}

fn check_type(pool: Protocol, kind: MonitorType) -> Result<(), Refusal> {
    use MonitorType::{Grpc, Http, Https, Tcp, Tls, UdpConnect};
    let fits = match pool {
        Protocol::Udp | Protocol::Quic => kind == UdpConnect,
        Protocol::Tcp => matches!(kind, Tcp | Http | Https),
        _ => matches!(kind, Tcp | Http | Https | Tls | Grpc),
    };
    if fits {
        return Ok(());
    }
    Err(Refusal::invalid("type", format!("{kind:?} does not fit a pool of protocol {}", pool.name())))
}
