//! The architecture as checks that fail: sizes, docs, who may depend on whom, what pure rooms must not name, and
//! that generated files are fresh. `FERROLB_UPDATE=1 cargo test --test tidy` writes the generated ones anew.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Path from the root and text of each file that git would take, by extension.
fn files(extensions: &[&str]) -> Vec<(String, String)> {
    fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if name != "target" && name != ".git" {
                    walk(&path, found);
                }
            } else {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root(), &mut found);
    found.sort();
    let wanted = |p: &PathBuf| p.extension().is_some_and(|e| extensions.contains(&e.to_string_lossy().as_ref()));
    let name = |p: &PathBuf| p.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
    let files: Vec<_> = found.iter().filter(|p| wanted(p)).map(|p| (name(p), fs::read_to_string(p).unwrap())).collect();
    assert!(!files.is_empty(), "no {extensions:?} file found: this check would check nothing");
    files
}

/// Fails with all complaints at once.
fn assert_none(rule: &str, complaints: &[String]) {
    assert!(complaints.is_empty(), "{rule}:\n  {}", complaints.join("\n  "));
}

#[test]
fn no_source_file_is_long() {
    let long = |(name, text): &(String, String)| {
        let lines = text.lines().count();
        (lines > 600).then(|| format!("{name}: {lines} lines"))
    };
    let complaints: Vec<_> = files(&["rs", "go"]).iter().filter_map(long).collect();
    assert_none("a file has at most 600 lines; split it by jobs", &complaints);
}

#[test]
fn every_source_file_says_what_it_is_for() {
    let bare = |(name, text): &(String, String)| {
        // What foo/tests.rs is for, its name says.
        (!text.starts_with("//!") && !name.ends_with("/tests.rs")).then(|| name.clone())
    };
    let complaints: Vec<_> = files(&["rs"]).iter().filter_map(bare).collect();
    assert_none("a file begins with `//!` and its job", &complaints);
}

#[test]
fn doors_hold_no_logic() {
    let mut complaints = Vec::new();
    for (name, text) in files(&["rs"]) {
        if name.ends_with("/mod.rs") || name.ends_with("lib.rs") {
            let mut lines = text.lines().enumerate().filter(|(_, l)| {
                let l =
                    l.trim_start().trim_start_matches("pub ").trim_start_matches("async ").trim_start_matches("const ");
                l.starts_with("fn ") || l.starts_with("impl ") || l.starts_with("impl<")
            });
            complaints.extend(lines.next().map(|(n, l)| format!("{name}:{}: {}", n + 1, l.trim())));
        }
    }
    assert_none("mod.rs and lib.rs hold the room's doc and its names", &complaints);
}

/// Crate → which of ours it may depend on.
const MAY_DEPEND_ON: &[(&str, &[&str])] = &[
    ("Cargo.toml", &["ferrolb-core", "ferrolb-crds", "ferrolb-elb", "ferrolb-mock", "ferrolb-provider"]),
    ("crds/Cargo.toml", &[]),
    ("examples/tinycloud/Cargo.toml", &["ferrolb-provider"]),
    ("providers/api/Cargo.toml", &[]),
    ("providers/elb/Cargo.toml", &["ferrolb-provider"]),
    ("providers/mock/Cargo.toml", &[]),
    ("src/core/Cargo.toml", &["ferrolb-crds", "ferrolb-provider"]),
    ("tests/lab/Cargo.toml", &[]),
    ("tests/prove/Cargo.toml", &["ferrolb-lab"]),
    ("tests/sim/Cargo.toml", &["ferrolb-core", "ferrolb-elb", "ferrolb-mock", "ferrolb-provider"]),
];

#[test]
fn dependencies_point_the_right_way() {
    let mut complaints = Vec::new();
    let manifests = files(&["toml"]);
    let manifests: Vec<_> = manifests.iter().filter(|(name, _)| name.ends_with("Cargo.toml")).collect();
    for (name, text) in manifests {
        let Some((_, allowed)) = MAY_DEPEND_ON.iter().find(|(n, _)| n == name) else {
            complaints.push(format!("{name} is not in the table"));
            continue;
        };
        let mut section = "";
        for line in text.lines() {
            if line.starts_with('[') {
                section = line;
            }
            let dependency = line.split(['.', ' ', '=']).next().unwrap_or_default();
            if section == "[dependencies]" && dependency.starts_with("ferrolb-") && !allowed.contains(&dependency) {
                complaints.push(format!("{name}: {dependency}"));
            }
        }
    }
    assert_none("dependencies between our crates", &complaints);
}

#[test]
fn pure_rooms_name_no_clock_and_no_io() {
    const PURE: &[&str] = &["providers/api/src/", "src/core/", "crds/src/", "providers/mock/src/state/"];
    const WORDS: &[&str] = &[
        "Instant::now",
        "SystemTime::now",
        "Timestamp::now",
        "std::fs",
        "std::env",
        "std::net::Tcp",
        "tokio::",
        "sleep(",
    ];
    let mut complaints = Vec::new();
    for (name, text) in files(&["rs"]) {
        let test = name.contains("/tests/") || name.ends_with("tests.rs");
        if !test && PURE.iter().any(|room| name.starts_with(room)) {
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            for (number, line) in code.lines().enumerate().filter(|(_, l)| !l.trim_start().starts_with("//")) {
                let words = WORDS.iter().filter(|w| line.contains(**w));
                complaints.extend(words.map(|w| format!("{name}:{}: {w}", number + 1)));
            }
        }
    }
    assert_none("pure rooms get time, randomness and transport as arguments", &complaints);
}

#[test]
fn only_the_kube_room_names_a_client() {
    let mut complaints = Vec::new();
    for (name, text) in files(&["rs"]) {
        if name.starts_with("src/") && !name.starts_with("src/kube/") {
            for (number, line) in text.lines().enumerate() {
                if line.contains("kube::Client") || line.contains("kube::{Api") || line.contains("kube::Api") {
                    complaints.push(format!("{name}:{}: {}", number + 1, line.trim()));
                }
            }
        }
    }
    assert_none("all Kubernetes I/O is in src/kube", &complaints);
}

#[test]
fn the_repository_names_no_machine() {
    let mut complaints = Vec::new();
    let words =
        [concat!("/work", "/"), concat!("/root", "/"), concat!("proxy.golang", ".org"), concat!("index.crates", ".io")];
    for (name, text) in files(&["rs", "go", "md", "yaml", "toml", "mod", "json", "tpl", "txt"]) {
        complaints.extend(words.iter().filter(|w| text.contains(**w)).map(|w| format!("{name}: {w}")));
    }
    assert_none("no path or registry of one machine", &complaints);
}

/// Path and expected text of every generated file.
fn generated() -> BTreeMap<String, String> {
    let mut wanted = BTreeMap::new();
    for (file, yaml) in ferrolb_crds::generate().unwrap() {
        wanted.insert(format!("crds/yaml/{file}"), yaml.clone());
        wanted.insert(format!("charts/ferrolb/crds/{file}"), yaml);
    }
    wanted.insert("docs/conditions.md".to_owned(), ferrolb_core::markdown());
    wanted.insert("docs/metrics.md".to_owned(), ferrolb::telemetry::markdown());
    wanted.insert("docs/annotations.md".to_owned(), ferrolb_elb::markdown());
    wanted
}

#[test]
fn generated_files_are_fresh() {
    let update = std::env::var_os("FERROLB_UPDATE").is_some();
    let mut complaints = Vec::new();
    for (file, wanted) in generated() {
        let path = root().join(&file);
        if update {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &wanted).unwrap();
        }
        if fs::read_to_string(&path).unwrap_or_default() != wanted {
            complaints.push(file);
        }
    }
    assert_none("stale; run FERROLB_UPDATE=1 cargo test --test tidy", &complaints);
}

#[test]
fn versions_agree() {
    let chart = fs::read_to_string(root().join("charts/ferrolb/Chart.yaml")).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    for key in ["version", "appVersion"] {
        assert!(chart.lines().any(|l| l == format!("{key}: {version}")), "Chart.yaml: {key} is not {version}");
    }
}
