//! The tar format (POSIX ustar), as far as image archives need it: regular files and folders, written in
//! one pass. Owner, time and order are fixed, so equal content gives equal bytes.

use std::io::{self, Read, Write};

use anyhow::{Result, ensure};

const BLOCK: usize = 512;

/// Writes entries to `out`; [`Archive::finish`] completes the archive.
pub(crate) struct Archive<W: Write> {
    out: W,
}

impl<W: Write> Archive<W> {
    pub(crate) fn new(out: W) -> Archive<W> {
        Archive { out }
    }

    /// A folder; `path` without leading or trailing slash.
    pub(crate) fn folder(&mut self, path: &str) -> Result<()> {
        self.out.write_all(&header(&format!("{path}/"), 0o755, 0, b'5')?)?;
        Ok(())
    }

    /// A file of `size` bytes from `content`.
    pub(crate) fn file(&mut self, path: &str, mode: u32, size: u64, content: &mut impl Read) -> Result<()> {
        self.out.write_all(&header(path, mode, size, b'0')?)?;
        let copied = io::copy(&mut content.take(size), &mut self.out)?;
        ensure!(copied == size, "{path} ended after {copied} of {size} bytes");
        let rest = (size % BLOCK as u64) as usize;
        if rest > 0 {
            self.out.write_all(&[0; BLOCK][rest..])?;
        }
        Ok(())
    }

    /// The two empty blocks at the end; gives back the writer.
    pub(crate) fn finish(mut self) -> Result<W> {
        self.out.write_all(&[0; 2 * BLOCK])?;
        self.out.flush()?;
        Ok(self.out)
    }
}

fn header(path: &str, mode: u32, size: u64, kind: u8) -> Result<[u8; BLOCK]> {
    ensure!(!path.starts_with('/'), "path {path} in an archive must be relative");
    ensure!(path.len() <= 100, "path {path} is longer than the 100 bytes of a tar header");
    let mut block = [0; BLOCK];
    let mut put = |at: usize, text: &str| block[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, path);
    put(100, &format!("{mode:07o}"));
    put(108, "0000000"); // owner
    put(116, "0000000"); // group
    put(124, &format!("{size:011o}"));
    put(136, "00000000000"); // modified
    put(148, "        "); // the checksum counts as spaces while it is summed
    put(257, "ustar\0");
    put(263, "00");
    block[156] = kind;
    let sum: u32 = block.iter().map(|&byte| u32::from(byte)).sum();
    block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    Ok(block)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_is_what_tar_reads() {
        let mut archive = Archive::new(Vec::new());
        archive.folder("etc").unwrap();
        archive.file("etc/name", 0o644, 5, &mut &b"hello"[..]).unwrap();
        let bytes = archive.finish().unwrap();
        assert_eq!(bytes.len(), 512 + 512 + 512 + 1024);
        assert_eq!(&bytes[..5], b"etc/\0");
        assert_eq!(&bytes[512..521], b"etc/name\0");
        assert_eq!(&bytes[512 + 124..512 + 136], b"00000000005\0");
        assert_eq!(&bytes[1024..1029], b"hello");

        let folder = std::env::temp_dir().join(format!("ferrolb-lab-archive-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("a.tar"), &bytes).unwrap();
        let status = std::process::Command::new("tar").args(["-xf", "a.tar"]).current_dir(&folder).status().unwrap();
        assert!(status.success());
        assert_eq!(std::fs::read(folder.join("etc/name")).unwrap(), b"hello");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_file_that_shrinks_is_an_error_and_not_a_broken_archive() {
        let mut archive = Archive::new(Vec::new());
        assert!(archive.file("short", 0o644, 9, &mut &b"four"[..]).is_err());
    }

    #[test]
    fn long_and_absolute_paths_are_refused() {
        assert!(header(&"a".repeat(101), 0, 0, b'0').is_err());
        assert!(header("/etc/name", 0, 0, b'0').is_err());
    }
}
