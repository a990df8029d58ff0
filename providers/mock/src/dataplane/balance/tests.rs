#![allow(clippy::unwrap_used)]

use super::*;

fn pool(algorithm: Algorithm, weights: &[(&str, u32)]) -> Pool {
    let backend = |(id, weight): &(&str, u32)| Backend {
        id: (*id).into(),
        address: "127.0.0.1:1".parse().unwrap(),
        weight: *weight,
    };
    let members = weights.iter().map(backend).collect();
    let id = "pool".to_owned();
    Pool { id, algorithm, sticky: None, drain: None, slow_start: None, tls: false, declared: weights.len(), members }
}

fn client(last: u8) -> Wish<'static> {
    Wish::of(IpAddr::from([10, 0, 0, last]))
}

fn name(lease: &Lease) -> String {
    lease.backend.id.to_string()
}

#[test]
fn round_robin_is_smooth_and_follows_weights() {
    let balancer = Arc::new(Balancer::default());
    let pool = pool(Algorithm::RoundRobin, &[("a", 3), ("b", 1)]);
    let order: String = (0..8).map(|_| name(&balancer.pick(&pool, &client(1), Instant::now()).unwrap())).collect();
    assert_eq!(order, "aabaaaba");
}

#[test]
fn least_connections_counts_open_ones_only() {
    let balancer = Arc::new(Balancer::default());
    let pool = pool(Algorithm::LeastConnections, &[("a", 1), ("b", 1)]);
    let first = balancer.pick(&pool, &client(1), Instant::now()).unwrap();
    let second = balancer.pick(&pool, &client(1), Instant::now()).unwrap();
    assert_ne!(first.backend.id, second.backend.id);
    let freed = name(&first);
    drop(first);
    assert_eq!(name(&balancer.pick(&pool, &client(1), Instant::now()).unwrap()), freed);
    drop(second);
}

#[test]
fn least_connections_follows_weights() {
    let balancer = Arc::new(Balancer::default());
    let pool = pool(Algorithm::LeastConnections, &[("a", 1), ("b", 4)]);
    let leases: Vec<Lease> = (0..10).map(|_| balancer.pick(&pool, &client(1), Instant::now()).unwrap()).collect();
    assert_eq!(leases.iter().filter(|lease| &*lease.backend.id == "b").count(), 8);
}

#[test]
fn source_ip_moves_only_the_clients_of_a_lost_member() {
    let balancer = Arc::new(Balancer::default());
    let all = pool(Algorithm::SourceIp, &[("a", 1), ("b", 1), ("c", 1)]);
    let less = pool(Algorithm::SourceIp, &[("a", 1), ("b", 1)]);
    let pick = |pool: &Pool, n| name(&balancer.pick(pool, &client(n), Instant::now()).unwrap());
    let (before, after): (Vec<_>, Vec<_>) = (0..100).map(|n| (pick(&all, n), pick(&less, n))).unzip();
    assert!(before.iter().zip(&after).all(|(before, after)| before == "c" || before == after));
    assert!(["a", "b", "c"].iter().all(|id| before.iter().any(|chosen| chosen == id)));
}

#[test]
fn a_sticky_client_stays_until_time_or_member_is_gone() {
    let balancer = Arc::new(Balancer::default());
    let mut pool = pool(Algorithm::RoundRobin, &[("a", 1), ("b", 1)]);
    pool.sticky = Some(Sticky::Source(Duration::from_secs(60)));
    let start = Instant::now();
    let pick =
        |pool: &Pool, seconds| name(&balancer.pick(pool, &client(1), start + Duration::from_secs(seconds)).unwrap());
    assert_eq!(pick(&pool, 0), "a");
    assert_eq!(pick(&pool, 59), "a");
    assert_eq!(pick(&pool, 118), "a", "each connection prolongs it");
    assert_eq!(pick(&pool, 178), "b");
    pool.members.retain(|member| &*member.id == "a");
    assert_eq!(pick(&pool, 179), "a");
    pool.members.clear();
    assert!(balancer.pick(&pool, &client(1), start).is_none());
}

#[test]
fn a_wish_counts_unless_the_member_is_out_or_was_tried() {
    let balancer = Arc::new(Balancer::default());
    let mut pool = pool(Algorithm::RoundRobin, &[("a", 1), ("b", 1)]);
    let tried: [Arc<str>; 1] = ["b".into()];
    let pick = |pool: &Pool, except| {
        let wish = Wish { member: Some("b"), except, ..client(1) };
        balancer.pick(pool, &wish, Instant::now()).map(|lease| name(&lease))
    };
    assert_eq!([pick(&pool, &[]), pick(&pool, &[]), pick(&pool, &tried)].map(Option::unwrap), ["b", "b", "a"]);
    pool.members.retain(|member| &*member.id == "a");
    assert_eq!(pick(&pool, &[]).unwrap(), "a");
    pool.members.clear();
    assert_eq!(pick(&pool, &[]), None);
}

#[test]
fn a_member_that_starts_slowly_gets_more_and_more() {
    let balancer = Arc::new(Balancer::default());
    let start = Instant::now();
    let mut pool = pool(Algorithm::RoundRobin, &[("a", 1)]);
    pool.slow_start = Some(Duration::from_secs(100));
    balancer.note(&pool, start);
    pool.members.push(Backend { id: "b".into(), ..pool.members[0].clone() });
    let joined = start + Duration::from_secs(1000);
    balancer.note(&pool, joined);
    let share = |seconds| {
        let at = joined + Duration::from_secs(seconds);
        (0..100).filter(|_| name(&balancer.pick(&pool, &client(1), at).unwrap()) == "b").count()
    };
    let shares = [0, 25, 100, 200].map(share);
    assert!(shares[0] <= 1 && (15..=25).contains(&shares[1]), "{shares:?}");
    assert!(shares[2].abs_diff(50) <= 1 && shares[3].abs_diff(50) <= 1, "{shares:?}");
}

#[tokio::test(start_paused = true)]
async fn connections_to_a_member_that_left_end_after_the_drain() {
    let balancers = Balancers::default();
    let mut with = pool(Algorithm::RoundRobin, &[("a", 1)]);
    with.drain = Some(Duration::from_secs(30));
    let without = Pool { members: Vec::new(), ..with.clone() };
    let now = || tokio::time::Instant::now().into_std();
    balancers.note([&with].into_iter(), now());
    let mut lease = balancers.of(&with).pick(&with, &client(1), now()).unwrap();
    assert!(!lease.drains(now()));

    balancers.note([&without].into_iter(), now());
    assert!(lease.drains(now()));
    assert!(tokio::time::timeout(Duration::from_secs(29), lease.ended()).await.is_err());
    // Back in time: it stays.
    balancers.note([&with].into_iter(), now());
    assert!(tokio::time::timeout(Duration::from_secs(100), lease.ended()).await.is_err());
    balancers.note([&without].into_iter(), now());
    assert!(tokio::time::timeout(Duration::from_secs(31), lease.ended()).await.is_ok());
    assert!(!lease.drains(now()));
}

#[tokio::test(start_paused = true)]
async fn without_a_drain_they_stay() {
    let balancers = Balancers::default();
    let with = pool(Algorithm::RoundRobin, &[("a", 1)]);
    let without = Pool { members: Vec::new(), ..with.clone() };
    let mut lease = balancers.of(&with).pick(&with, &client(1), Instant::now()).unwrap();
    balancers.note([&without].into_iter(), Instant::now());
    assert!(tokio::time::timeout(Duration::from_secs(10_000), lease.ended()).await.is_err());
}
