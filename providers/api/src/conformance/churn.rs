//! Without faults: coming up, staying, changing and going.

use std::collections::BTreeSet;

use super::life::{Kit, Life, Wish, words};
use super::report::{Judged, Miss};
use super::samples::{self, nodes, port, sample};
use super::subject::{Calls, Cloud, Subject};
use crate::{Desired, Protocol, Provider, Resource, Serving};

/// The samples that must come up, with their names.
fn all<S: Subject>(kit: &Kit<'_, S>) -> Vec<(&'static str, Desired)> {
    let samples = [
        ("one port", samples::one_port()),
        ("three ports", samples::three_ports()),
        ("TCP and UDP", samples::tcp_and_udp()),
        ("no backend", nodes(samples::one_port(), &[])),
    ];
    samples.into_iter().map(|(name, wish)| (name, kit.subject.fit(wish))).collect()
}

/// A model depends on the wish alone, fills no slot twice and hangs nothing on what it lacks.
pub(super) async fn model<S: Subject>(kit: &Kit<'_, S>) -> Judged {
    let life = Life::begin(kit).await;
    for (name, want) in all(kit) {
        let make = || life.provider().model(&want).map_err(|p| format!("{name} is refused: {}", p[0]));
        let (one, other) = (make()?, make()?);
        if format!("{one:?}") != format!("{other:?}") {
            return Err(format!("{name}: two models of one wish differ").into());
        }
        let slots: BTreeSet<_> = one.resources.iter().map(Resource::slot).collect();
        if slots.is_empty() || slots.len() < one.resources.len() {
            return Err(format!("{name}: {} objects for {} slots", one.resources.len(), slots.len()).into());
        }
        if let Some(lost) = one.resources.iter().flat_map(Resource::parents).find(|p| !slots.contains(p)) {
            return Err(format!("{name}: something hangs on {lost}, which is not in the model").into());
        }
    }
    if !life.cloud.calls().await.is_empty() {
        return Err("a model makes calls".to_owned().into());
    }
    Ok(format!("{} samples", all(kit).len()))
}

/// Comes up with an address that serves every port; a second pass and another process then write nothing.
pub(super) async fn idempotence<S: Subject>(kit: &Kit<'_, S>) -> Judged {
    for (name, want) in all(kit) {
        let judged = async {
            let mut life = Life::begin(kit).await;
            life.first_seen(&want.owner);
            let outcome = life.live(Wish::Have(&want)).await?;
            if name != "no backend" {
                serves(&want, &outcome.serving.unwrap_or_default())?;
            }
            let shape = life.shape(&want.owner).await;
            life.count().await;
            life.pass(Wish::Have(&want)).await;
            let writes = life.count().await.writes;
            if writes > 0 {
                return Err(format!("a second pass makes {writes} writes"));
            }
            life.at_rest(&want, &shape).await
        };
        judged.await.map_err(|why| format!("{name}: {why}"))?;
    }
    Ok(format!("{} samples", all(kit).len()))
}

fn serves(want: &Desired, serving: &Serving) -> Result<(), String> {
    let wished: BTreeSet<(Protocol, u16)> = want.ports.iter().map(|p| (p.protocol, p.port)).collect();
    if serving.addresses.is_empty() {
        return Err("no address is served".to_owned());
    }
    for address in &serving.addresses {
        let served: BTreeSet<_> = address.ports.iter().copied().collect();
        if served != wished {
            return Err(format!("{} serves {served:?} instead of {wished:?}", address.ip));
        }
    }
    Ok(())
}

/// The list shows each object of its owner and nobody else's as ours.
pub(super) async fn list<S: Subject>(kit: &Kit<'_, S>) -> Judged {
    let want = kit.subject.fit(nodes(samples::three_ports(), &[1, 2, 3, 4, 5, 6, 7, 8]));
    let other = Desired { owner: samples::owner(samples::SECOND), ..want.clone() };
    let mut life = Life::begin(kit).await;
    life.cloud.add_foreign(&want).await;
    life.live(Wish::Have(&other)).await?;
    life.live(Wish::Have(&want)).await?;
    let model = life.provider().model(&want).map_err(|p| p[0].to_string())?;
    let seen = life.provider().list(&want.owner, &model.resources).await.map_err(|e| e.to_string())?;
    let ours: BTreeSet<_> = seen.iter().filter(|s| s.owned).map(|s| &s.id).collect();
    let there = life.ids(&want.owner).await.len();
    if ours.len() != there {
        return Err(format!("lists {} objects as the owner's, and there are {there}", ours.len()).into());
    }
    Ok(format!("{there} objects among others"))
}

/// Wishes one after the other: each ends as if it had been the first, under the same address.
async fn chain<S: Subject>(kit: &Kit<'_, S>, wishes: Vec<Desired>) -> Judged {
    let mut life = Life::begin(kit).await;
    life.first_seen(&samples::owner(samples::FIRST));
    let steps = wishes.len();
    for (step, want) in wishes.into_iter().enumerate() {
        let want = kit.subject.fit(want);
        let shape = kit.shape_of(&want).await?;
        let judged = async {
            life.live(Wish::Have(&want)).await?;
            life.at_rest(&want, &shape).await
        };
        judged.await.map_err(|why| format!("step {}: {why}", step + 1))?;
    }
    Ok(format!("{steps} steps"))
}

/// Backends come, go, all go, come back, and move to other node ports.
pub(super) async fn backend_churn<S: Subject>(kit: &Kit<'_, S>) -> Judged {
    let on = |on: &[u8]| nodes(samples::tcp_and_udp(), on);
    let mut moved = on(&[2, 3]);
    moved.ports.iter_mut().flat_map(|p| &mut p.backends).for_each(|b| b.port += 1000);
    let many: Vec<u8> = (1..=40).collect();
    chain(kit, vec![on(&[1, 2, 3]), on(&[1, 2, 3, 4]), on(&[2, 4]), on(&[]), on(&many), on(&[2, 3]), moved]).await
}

/// Traffic moves from nodes to pods, the pods change, all go, and it moves back.
pub(super) async fn pod_churn<S: Subject>(kit: &Kit<'_, S>) -> Judged {
    let on = |on: &[u8]| samples::pods(samples::three_ports(), on);
    let mut uneven = on(&[2, 3]);
    uneven.ports[0] = port(Protocol::Tcp, 80, &[1]);
    let to_nodes = samples::three_ports;
    chain(kit, vec![to_nodes(), on(&[1, 2]), on(&[2, 3]), uneven, on(&[]), on(&[4]), to_nodes()]).await
}

/// Ports come, go, and change their protocol.
pub(super) async fn port_churn<S: Subject>(kit: &Kit<'_, S>) -> Judged {
    use Protocol::{Tcp, Udp};
    let mut uneven = sample(&[(Tcp, 443)]);
    uneven.ports.push(port(Tcp, 8443, &[4]));
    let wishes = vec![
        sample(&[(Tcp, 80)]),
        sample(&[(Tcp, 80), (Tcp, 443), (Udp, 53)]),
        sample(&[(Tcp, 53), (Tcp, 443)]),
        uneven,
        sample(&[(Tcp, 80)]),
    ];
    chain(kit, wishes).await
}

/// Everything goes, in an order that the cloud takes, and nothing else does; then there is nothing more to do.
pub(super) async fn deletion<S: Subject>(kit: &Kit<'_, S>) -> Judged {
    for (name, want) in all(kit) {
        let judged = async {
            let owner = &want.owner;
            let mut life = Life::begin(kit).await;
            life.cloud.add_foreign(&want).await;
            let strangers = life.strangers(owner).await;
            life.first_seen(owner);
            life.live(Wish::Have(&want)).await?;
            life.live(Wish::Gone(owner)).await?;
            if let Some(failure) = life.hurts.first() {
                return Err(format!("a call failed, so the order is not the cloud's: {failure}"));
            }
            life.nothing_left(owner).await?;
            life.untouched(owner, &strangers).await?;
            life.restart();
            life.count().await;
            life.live(Wish::Gone(owner)).await?;
            match life.count().await.writes {
                0 => Ok(()),
                writes => Err(format!("with nothing there, {writes} writes are made")),
            }
        };
        judged.await.map_err(|why| format!("{name}: {why}"))?;
    }
    Ok(format!("{} samples", all(kit).len()))
}

/// Wrong options are problems, not calls; what serves goes on serving.
pub(super) async fn wrong_input<S: Subject>(kit: &Kit<'_, S>) -> Judged {
    let right = kit.subject.fit(samples::one_port());
    let wrong = kit.subject.wrong(&right);
    if wrong.is_empty() {
        return Err(Miss::NotChecked("the subject names no wrong input"));
    }
    let mut life = Life::begin(kit).await;
    life.first_seen(&right.owner);
    for exists in [false, true] {
        if exists {
            life.live(Wish::Have(&right)).await?;
        }
        life.count().await;
        for (n, want) in wrong.iter().enumerate() {
            let outcome = life.pass(Wish::Have(want)).await.ok_or_else(|| "died".to_owned())?;
            if outcome.problems.is_empty() {
                return Err(format!("number {} is taken: {}", n + 1, words(&outcome)).into());
            }
            let calls = life.count().await;
            if calls != Calls::default() {
                return Err(format!("number {} makes calls: {calls:?}", n + 1).into());
            }
        }
    }
    Ok(format!("{} wrong inputs", wrong.len()))
}

/// No more calls than promised.
pub(super) async fn budgets<S: Subject>(kit: &Kit<'_, S>) -> Judged {
    let Some(budgets) = kit.facts.budgets else {
        return Err(Miss::NotChecked("the subject declares none"));
    };
    let want = kit.subject.fit(samples::one_port());
    let more = kit.subject.fit(nodes(samples::one_port(), &[1, 2, 3, 4]));
    let mut life = Life::begin(kit).await;
    life.first_seen(&want.owner);
    let mut said = Vec::new();
    let mut check = |what: &str, is: Calls, most: Calls| {
        said.push(format!("{what} {}+{}", is.reads, is.writes));
        if is.reads > most.reads || is.writes > most.writes {
            return Err(format!("{what}: {} reads and {} writes, promised {most:?}", is.reads, is.writes));
        }
        Ok(())
    };
    life.settle(Wish::Have(&want)).await?;
    check("create", life.count().await, budgets.create)?;
    life.live(Wish::Have(&want)).await?;
    life.count().await;
    life.pass(Wish::Have(&want)).await;
    check("steady", life.count().await, budgets.steady)?;
    life.settle(Wish::Have(&more)).await?;
    check("add a backend", life.count().await, budgets.add_backend)?;
    life.live(Wish::Have(&more)).await?;
    life.count().await;
    life.live(Wish::Gone(&want.owner)).await?;
    check("release", life.count().await, budgets.release)?;
    Ok(format!("reads+writes: {}", said.join(", ")))
}
