//! Command `lab`: a cluster that stays up until it is taken down, for people and for long experiments.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use ferrolb_lab::{Config, Lab, Nodes, build};

const USAGE: &str = "\
usage: lab up   [--name NAME] [--nodes N | --light N] [--proxy iptables|nftables] [--no-dns]
       lab down [--name NAME | --all]
       lab list
       lab exec [--name NAME] client|cp|n1|n2|... -- PROGRAM [ARGUMENT...]
       lab build
The name is `lab` if none is given.";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let result = match words.split_first() {
        Some((command, rest)) => match command.as_str() {
            "up" => up(rest),
            "down" => down(rest),
            "list" => list(rest),
            "exec" => exec(rest),
            "build" => build_only(rest),
            "help" | "--help" | "-h" => {
                println!("{USAGE}");
                Ok(())
            }
            other => return usage(&format!("unknown command {other:?}")),
        },
        None => return usage("no command"),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => match error.downcast_ref::<Usage>() {
            Some(Usage(problem)) => usage(problem),
            None => {
                eprintln!("lab: {error:#}");
                ExitCode::FAILURE
            }
        },
    }
}

fn up(words: &[String]) -> Result<()> {
    let options = Options::parse(words, &["--name", "--nodes", "--light", "--proxy", "--no-dns"])?;
    let mut config = Config::new(options.name());
    config.detached = true;
    config.dns = !options.has("--no-dns");
    if let Some(mode) = options.value("--proxy") {
        config.proxy_mode = mode.parse().map_err(|error| Usage(format!("{error:#}")))?;
    }
    config.nodes = match (options.number("--nodes")?, options.number("--light")?) {
        (Some(_), Some(_)) => {
            return Err(Usage("--nodes and --light exclude each other".to_owned()).into());
        }
        (None, Some(light)) => Nodes::Light(light),
        (Some(0), None) => Nodes::None,
        (nodes, None) => Nodes::Kubelets(nodes.unwrap_or(3)),
    };
    let real = matches!(config.nodes, Nodes::Kubelets(_));
    let lab = Lab::start(config)?;
    let bin = lab.kubeconfig().with_file_name("bin");
    let bin = bin.display();
    println!("Lab {} is up. To use it:", lab.name());
    println!("  export PATH={bin}:$PATH       then: kubectl get nodes, helm list");
    println!("  {bin}/in-client               a shell outside the cluster; with arguments, a command");
    if real {
        println!("  {bin}/in-n1                   a shell on node n1");
    }
    println!("  {bin}/in-cp                   a shell beside the API server");
    println!("  KUBECONFIG={} (inside the lab's namespaces)", lab.kubeconfig().display());
    println!("  logs: {}/log", lab.dir().display());
    println!("  lab down --name {}", lab.name());
    Ok(())
}

fn down(words: &[String]) -> Result<()> {
    let options = Options::parse(words, &["--name", "--all"])?;
    let known: Vec<String> = ferrolb_lab::list().into_iter().map(|lab| lab.name).collect();
    let names = if options.has("--all") { known.clone() } else { vec![options.name().to_owned()] };
    for name in names {
        // Also one that is not listed: a run that was killed early may have left parts.
        ferrolb_lab::remove(&name)?;
        println!("lab {name} {}", if known.contains(&name) { "removed" } else { "was not there" });
    }
    Ok(())
}

fn list(words: &[String]) -> Result<()> {
    Options::parse(words, &[])?;
    println!("{:<22} {:<6} STATE", "NAME", "NODES");
    for lab in ferrolb_lab::list() {
        println!("{:<22} {:<6} {}", lab.name, lab.nodes, lab.state);
    }
    Ok(())
}

fn exec(words: &[String]) -> Result<()> {
    let at = words.iter().position(|word| word == "--");
    let at = at.ok_or_else(|| Usage("exec: give the command after --".to_owned()))?;
    let (mut before, command) = (words[..at].to_vec(), &words[at + 1..]);
    let place = before.pop().ok_or_else(|| Usage("exec: where? client, cp, n1, ...".to_owned()))?;
    let options = Options::parse(&before, &["--name"])?;
    let script = PathBuf::from(format!("/run/ferrolb-lab/{}/bin/in-{place}", options.name()));
    if !script.is_file() {
        bail!("lab {} is not up or has no place {place}", options.name());
    }
    Err(Command::new(&script).args(command).exec()).with_context(|| format!("run {}", script.display()))
}

fn build_only(words: &[String]) -> Result<()> {
    Options::parse(words, &[])?;
    build::ensure()?;
    for module in build::MODULES {
        println!("{}: {}", module.folder()?.display(), module.outputs.join(" "));
    }
    Ok(())
}

/// A command line that makes no sense.
#[derive(Debug)]
struct Usage(String);

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

fn usage(problem: &str) -> ExitCode {
    eprintln!("lab: {problem}\n{USAGE}");
    ExitCode::from(2)
}

/// Flags in any order, each with its value; a few have none.
struct Options<'a> {
    given: Vec<(&'a str, &'a str)>,
}

impl<'a> Options<'a> {
    fn parse(words: &'a [String], valid: &[&str]) -> Result<Options<'a>> {
        let mut given = Vec::new();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let (flag, attached) = match word.split_once('=') {
                Some((flag, value)) => (flag, Some(value)),
                None => (word.as_str(), None),
            };
            if !valid.contains(&flag) {
                return Err(Usage(format!("unknown argument {word:?}")).into());
            }
            let value = match (flag, attached) {
                ("--all" | "--no-dns", None) => "",
                (_, Some(value)) => value,
                (_, None) => words.next().ok_or_else(|| Usage(format!("{flag} wants a value")))?,
            };
            given.push((flag, value));
        }
        Ok(Options { given })
    }

    fn has(&self, flag: &str) -> bool {
        self.value(flag).is_some()
    }

    fn value(&self, flag: &str) -> Option<&'a str> {
        self.given.iter().rev().find(|(name, _)| *name == flag).map(|&(_, value)| value)
    }

    fn number(&self, flag: &str) -> Result<Option<usize>> {
        let parse = |value: &str| value.parse().map_err(|_| Usage(format!("{flag} wants a number, not {value:?}")));
        Ok(self.value(flag).map(parse).transpose()?)
    }

    fn name(&self) -> &'a str {
        self.value("--name").unwrap_or("lab")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_ascii_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn flags_take_values_in_both_forms() {
        let words = words("--name=a --nodes 5 --no-dns");
        let options = Options::parse(&words, &["--name", "--nodes", "--no-dns"]).unwrap();
        assert_eq!(options.name(), "a");
        assert_eq!(options.number("--nodes").unwrap(), Some(5));
        assert!(options.has("--no-dns"));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for text in ["--nodes", "--other 1", "stray"] {
            assert!(Options::parse(&words(text), &["--nodes"]).is_err(), "{text}");
        }
        let words = words("--nodes many");
        assert!(Options::parse(&words, &["--nodes"]).unwrap().number("--nodes").is_err());
    }
}
