//! Answers and the wording of refusals. Codes: the vendor's lists; where a code is not known for
//! sure the comment says so.

use serde_json::{Value, json};

use crate::state::{NatRefusal, Refusal};

/// What goes back: a status and a JSON object, or nothing (204).
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub status: u16,
    pub body: Option<Value>,
    /// Error code, for the log.
    pub code: Option<String>,
    /// One more header.
    pub header: Option<(&'static str, String)>,
}

/// Which service answers; each words its errors differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// `{error_code, error_msg}`
    Elb,
    /// `{code, message}`, both EIP versions and VPC
    Vpc,
    /// `{error_code, error_msg}`
    Iam,
    /// `{error_code, error_msg}`
    Nat,
}

impl Answer {
    pub fn ok(body: Value) -> Self {
        Self { status: 200, body: Some(body), code: None, header: None }
    }

    pub fn created(body: Value) -> Self {
        Self { status: 201, ..Self::ok(body) }
    }

    pub fn nothing() -> Self {
        Self { status: 204, body: None, code: None, header: None }
    }

    /// An error in the shape the gateway and the ELB share.
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        let body = json!({"error_code": code, "error_msg": message});
        Self { status, body: Some(body), code: Some(code.to_owned()), header: None }
    }

    /// An error in the shape of one service.
    pub fn error_of(family: Family, status: u16, code: &str, message: &str) -> Self {
        match family {
            Family::Elb | Family::Iam | Family::Nat => Self::error(status, code, message),
            Family::Vpc => {
                Self { body: Some(json!({"code": code, "message": message})), ..Self::error(status, code, message) }
            }
        }
    }

    pub fn refused(family: Family, refusal: &Refusal) -> Self {
        let (status, code) = match family {
            Family::Elb => elb_code(refusal),
            Family::Iam => iam_code(refusal),
            Family::Vpc => vpc_code(refusal),
            Family::Nat => nat_code(refusal),
        };
        Self::error_of(family, status, code, &refusal.to_string())
    }
}

fn elb_code(refusal: &Refusal) -> (u16, &'static str) {
    match refusal {
        Refusal::NotFound { .. } => (404, "ELB.8904"),
        Refusal::Missing(_) => (400, "ELB.9805"),
        Refusal::Invalid { .. } => (400, "ELB.8902"),
        Refusal::Mismatch(_) => (400, "ELB.9899"),
        Refusal::IpTarget(_) => (400, "ELB.8939"),
        Refusal::AddressTaken(_) => (400, "ELB.1101"),
        Refusal::SubnetFull(_) => (400, "ELB.8950"),
        Refusal::Unsupported(_) => (403, "ELB.8962"),
        Refusal::PortTaken { .. } | Refusal::Conflict(_) => (409, "ELB.8907"),
        Refusal::Quota("publicip") => (409, "EIP.7905"),
        Refusal::Quota(_) => (409, "ELB.8905"),
        // EIP trouble while a load balancer is created: the status of the conflict is known, the code is not.
        Refusal::EipBound(_)
        | Refusal::InstanceHasEip(_)
        | Refusal::EipInUse(_)
        | Refusal::EipFree(_)
        | Refusal::EipBusy(_) => (409, "ELB.8907"),
        Refusal::NoEipLeft | Refusal::EipAddressTaken(_) => (409, "ELB.8950"),
        Refusal::Nat(refusal) => nat_codes(refusal),
    }
}

fn nat_code(refusal: &Refusal) -> (u16, &'static str) {
    match refusal {
        Refusal::Nat(refusal) => nat_codes(refusal),
        _ => (400, "NAT.0301"),
    }
}

/// Nearly all come as 400, as the vendor's own table does.
fn nat_codes(refusal: &NatRefusal) -> (u16, &'static str) {
    match refusal {
        NatRefusal::Busy(_) => (400, "NAT.0102"),
        NatRefusal::GatewayNotActive(_) => (400, "NAT.0103"),
        NatRefusal::NoGateway(_) => (404, "NAT.0105"),
        // That it is refused is known, the code is not.
        NatRefusal::GatewayInUse(_) => (409, "NAT.0107"),
        NatRefusal::BadProtocol => (400, "NAT.0302"),
        NatRefusal::BadPort(_) => (400, "NAT.0303"),
        NatRefusal::InternalTaken(_) => (400, "NAT.0304"),
        NatRefusal::ExternalTaken(_) => (400, "NAT.0305"),
        NatRefusal::HalfAllPorts => (400, "NAT.0306"),
        NatRefusal::AllPorts(_) => (400, "NAT.0307"),
        NatRefusal::RuleQuota(_) => (400, "NAT.0309"),
        NatRefusal::NoTarget => (400, "NAT.0310"),
        NatRefusal::VirtualIp(_) => (400, "NAT.0312"),
        NatRefusal::BatchTooLong(_) => (400, "NAT.0314"),
        NatRefusal::TwoTargets => (400, "NAT.0317"),
        NatRefusal::NoRule(_) => (404, "NAT.0319"),
        NatRefusal::EipBound(_) => (400, "NAT.0402"),
        NatRefusal::EipElsewhere(_) => (400, "NAT.0404"),
    }
}

fn iam_code(refusal: &Refusal) -> (u16, &'static str) {
    match refusal {
        Refusal::NotFound { .. } => (404, "IAM.0004"),
        _ => (400, "IAM.0011"),
    }
}

fn vpc_code(refusal: &Refusal) -> (u16, &'static str) {
    match refusal {
        Refusal::NotFound { kind: "Load Balancer", .. } => (404, "ELB.8904"),
        Refusal::NotFound { kind: "Public IP", .. } => (404, "VPC.0504"),
        Refusal::NotFound { kind: "Bandwidth", .. } => (404, "VPC.0306"),
        Refusal::NotFound { .. } => (404, "VPC.0202"),
        Refusal::Quota(_) => (409, "VPC.0521"),
        Refusal::NoEipLeft => (409, "VPC.0532"),
        Refusal::EipAddressTaken(_) | Refusal::AddressTaken(_) => (409, "VPC.0522"),
        Refusal::EipBound(_) => (409, "VPC.0510"),
        Refusal::InstanceHasEip(_) => (409, "VPC.0511"),
        Refusal::EipBusy(_) => (409, "VPC.0512"),
        Refusal::EipInUse(_) => (409, "VPC.0517"),
        Refusal::EipFree(_) => (409, "EIP.7902"),
        // A bandwidth in use: that it is refused is known, the code is not.
        Refusal::Conflict(_) => (409, "VPC.0303"),
        Refusal::Invalid { field, .. } if field.starts_with("bandwidth") => (400, "VPC.0301"),
        _ => (400, "VPC.0501"),
    }
}
