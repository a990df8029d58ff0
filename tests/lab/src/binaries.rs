//! Where the built programs are, and the archive of the lab's own images beside them.

use std::fs;
use std::path::PathBuf;

use anyhow::Result;

use crate::build::{self, MODULES};
use crate::image;

/// The path of a built program; the first module's folder for a name that nobody builds.
pub(crate) fn program(name: &str) -> Result<PathBuf> {
    let module = MODULES.iter().find(|module| module.outputs.contains(&name)).unwrap_or(&MODULES[0]);
    Ok(module.folder()?.join(name))
}

/// The archive with the pause, web and CoreDNS images; written once per build.
pub(crate) fn own_images() -> Result<PathBuf> {
    let hashes: Vec<String> = MODULES[1..].iter().map(build::Module::hash).collect();
    let path = build::cache()?.join(format!("images-{}.tar", hashes.join("-")));
    if path.is_file() {
        return Ok(path);
    }
    build::with_lock("images", || {
        if !path.is_file() {
            let (web, coredns) = (program("web")?, program("coredns")?);
            let images = image::own_images(|name| if name == "coredns" { coredns.clone() } else { web.clone() });
            let unfinished = path.with_extension("unfinished");
            image::write_archive(&unfinished, &images)?;
            fs::rename(&unfinished, &path)?;
        }
        Ok(path)
    })
}
