//! What the demo prints: headings, sentences, commands with their output, times. Colour on a terminal only, and
//! never with `NO_COLOR`.

use std::io::IsTerminal;
use std::time::Duration;

use anyhow::Result;
use ferrolb_lab::{Lab, Where};

/// The person's terminal.
pub struct Screen {
    colour: bool,
    step: usize,
}

impl Screen {
    /// Standard output.
    pub fn new() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { colour: wanted && std::io::stdout().is_terminal(), step: 0 }
    }

    /// A numbered heading.
    pub fn step(&mut self, title: &str) {
        self.step += 1;
        println!("\n{}", self.paint("1;36", &format!("{}. {title}", self.step)));
    }

    /// A sentence.
    pub fn say(&self, text: &str) {
        println!("   {text}");
    }

    /// A fact that was measured.
    pub fn fact(&self, what: &str, took: Duration) {
        println!("   {}", self.paint("1;32", &format!("{what}: {:.2} s", took.as_secs_f64())));
    }

    /// A command line as somebody would type it.
    pub fn command(&self, line: &str) {
        println!("   {} {}", self.paint("2", "$"), self.paint("1", line));
    }

    /// Output of a command.
    pub fn output(&self, text: &str) {
        for line in text.trim_end().lines() {
            println!("   {line}");
        }
    }

    /// Shows a command, runs it beside the API server and shows its output.
    pub fn run(&self, lab: &Lab, program: &str, args: &[&str]) -> Result<String> {
        self.run_in(lab, Where::ControlPlane, program, args)
    }

    /// The same at some place of the lab.
    pub fn run_in(&self, lab: &Lab, place: Where, program: &str, args: &[&str]) -> Result<String> {
        self.command(&shell(program, args));
        let text = lab.run_in(place, program, args)?;
        self.output(&text);
        Ok(text)
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// A command line with quotes where a shell needs them.
fn shell(program: &str, args: &[&str]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    let quoted = args.iter().map(|arg| match !arg.is_empty() && arg.chars().all(plain) {
        true => (*arg).to_owned(),
        false => format!("'{}'", arg.replace('\'', r"'\''")),
    });
    std::iter::once(program.to_owned()).chain(quoted).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_can_be_pasted() {
        assert_eq!(shell("helm", &["install", "a", "--set", "x=y"]), "helm install a --set x=y");
        assert_eq!(shell("sh", &["-c", "echo it's"]), r"sh -c 'echo it'\''s'");
    }
}
