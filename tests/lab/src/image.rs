//! Container images without a registry: a docker-archive of one layer, for `ctr images import`.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::archive::Archive;

/// The workload of the lab, on every node: answers HTTP and UDP with pod, node and client (programs/web).
pub const WEB_IMAGE: &str = "ferrolb.test/web:1";
/// The sandbox of every pod.
pub(crate) const PAUSE_IMAGE: &str = "ferrolb.test/pause:1";
/// The cluster's DNS.
pub(crate) const DNS_IMAGE: &str = "ferrolb.test/coredns:1";

/// An image made of files of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageSpec {
    /// Name without tag, for instance `ferrolb` or `example.org/ferrolb`.
    pub name: String,
    /// Tag; kubelets try to pull `latest`, so give another.
    pub tag: String,
    /// Absolute path in the image and the file here that it is copied from. All are executable.
    pub files: Vec<(String, PathBuf)>,
    /// What runs, with its first arguments.
    pub entrypoint: Vec<String>,
    /// User and group by number, `65532:65532`; root if not given.
    pub user: Option<String>,
}

impl ImageSpec {
    /// One static program as `/NAME` (the last part of the image's name), run by an unprivileged user.
    pub fn program(name: &str, tag: &str, binary: &Path) -> ImageSpec {
        let path = format!("/{}", name.rsplit('/').next().unwrap_or(name));
        ImageSpec {
            name: name.to_owned(),
            tag: tag.to_owned(),
            files: vec![(path.clone(), binary.to_owned())],
            entrypoint: vec![path],
            user: Some("65532:65532".to_owned()),
        }
    }

    /// What a pod names it by.
    pub fn reference(&self) -> String {
        format!("{}:{}", self.name, self.tag)
    }
}

/// The images that every node has, from the programs' folders.
pub(crate) fn own_images(program: impl Fn(&str) -> PathBuf) -> Vec<ImageSpec> {
    let make = |reference: &str, file: &str, arguments: &[&str]| {
        let (name, tag) = reference.rsplit_once(':').unwrap_or((reference, "1"));
        let mut image = ImageSpec::program(name, tag, &program(file));
        image.entrypoint.extend(arguments.iter().map(|&argument| argument.to_owned()));
        image
    };
    vec![make(PAUSE_IMAGE, "web", &["pause"]), make(WEB_IMAGE, "web", &[]), make(DNS_IMAGE, "coredns", &[])]
}

/// Writes all `images` into one archive at `path`. Layers are laid down beside it for the time of writing.
pub(crate) fn write_archive(path: &Path, images: &[ImageSpec]) -> Result<()> {
    let mut archive = Archive::new(BufWriter::new(create(path)?));
    let mut manifest = Vec::new();
    let mut written = BTreeSet::new();
    for (number, image) in images.iter().enumerate() {
        let layer_file = path.with_extension(format!("layer{number}"));
        let digest = write_layer(&layer_file, image)
            .with_context(|| format!("make the layer of image {}", image.reference()))?;
        let config = serde_json::to_vec(&image_config(image, &digest))?;
        let config_name = format!("{}.json", hex(&Sha256::digest(&config)));
        let layer_name = format!("{digest}/layer.tar");
        if written.insert(config_name.clone()) {
            archive.file(&config_name, 0o644, config.len() as u64, &mut config.as_slice())?;
        }
        if written.insert(layer_name.clone()) {
            let mut layer = File::open(&layer_file)?;
            let size = layer.metadata()?.len();
            archive.file(&layer_name, 0o644, size, &mut layer)?;
        }
        std::fs::remove_file(&layer_file)?;
        manifest.push(json!({"Config": config_name, "RepoTags": [image.reference()], "Layers": [layer_name]}));
    }
    let manifest = serde_json::to_vec(&manifest)?;
    archive.file("manifest.json", 0o644, manifest.len() as u64, &mut manifest.as_slice())?;
    archive.finish()?;
    Ok(())
}

/// One layer as a tar file; gives the digest of its content.
fn write_layer(path: &Path, image: &ImageSpec) -> Result<String> {
    let mut archive = Archive::new(BufWriter::new(create(path)?));
    let mut folders = BTreeSet::new();
    for (inside, host) in &image.files {
        ensure!(inside.starts_with('/'), "path {inside} in an image must be absolute");
        let inside = inside.trim_start_matches('/');
        for (end, _) in inside.match_indices('/') {
            if folders.insert(inside[..end].to_owned()) {
                archive.folder(&inside[..end])?;
            }
        }
        let file = File::open(host).with_context(|| format!("open {}", host.display()))?;
        let size = file.metadata()?.len();
        archive.file(inside, 0o755, size, &mut BufReader::new(file))?;
    }
    let mut file = archive.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.rewind()?;
    digest(&mut file)
}

fn image_config(image: &ImageSpec, layer_digest: &str) -> Value {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    json!({
        "architecture": architecture,
        "os": "linux",
        "config": {"Entrypoint": image.entrypoint, "User": image.user.clone().unwrap_or_default(), "Env": ["PATH=/"]},
        "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{layer_digest}")]},
        "history": [{"created_by": "ferrolb lab"}],
    })
}

fn create(path: &Path) -> Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(true);
    options.open(path).with_context(|| format!("create {}", path.display()))
}

/// SHA-256 of what `content` holds, in hexadecimal.
pub(crate) fn digest(content: &mut impl Read) -> Result<String> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = content.read(&mut buffer)?;
        if count == 0 {
            return Ok(hex(&hasher.finalize()));
        }
        hasher.update(&buffer[..count]);
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_archive_names_layers_by_their_content_and_shares_equal_ones() {
        let folder = std::env::temp_dir().join(format!("ferrolb-lab-image-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let program = folder.join("program");
        std::fs::write(&program, b"#!/bin/true\n").unwrap();
        let web = ImageSpec::program("example.org/web", "1", &program);
        let mut pause = web.clone();
        pause.tag = "pause".to_owned();
        pause.entrypoint.push("pause".to_owned());
        let path = folder.join("images.tar");
        write_archive(&path, &[web, pause]).unwrap();

        let untar = |member: &str| {
            let output = std::process::Command::new("tar").arg("-xOf").arg(&path).arg(member).output().unwrap();
            assert!(output.status.success(), "{member} is not in the archive");
            output.stdout
        };
        let manifest: Value = serde_json::from_slice(&untar("manifest.json")).unwrap();
        assert_eq!(manifest[0]["RepoTags"][0], "example.org/web:1");
        assert_eq!(manifest[0]["Layers"], manifest[1]["Layers"]);
        let layer_name = manifest[0]["Layers"][0].as_str().unwrap();
        let layer_digest = digest(&mut untar(layer_name).as_slice()).unwrap();
        assert_eq!(layer_name, format!("{layer_digest}/layer.tar"));
        let config: Value = serde_json::from_slice(&untar(manifest[1]["Config"].as_str().unwrap())).unwrap();
        assert_eq!(config["rootfs"]["diff_ids"][0], format!("sha256:{layer_digest}"));
        assert_eq!(config["config"]["Entrypoint"], json!(["/web", "pause"]));
        assert_eq!(config["config"]["User"], "65532:65532");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2, "layers beside the archive are removed");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
