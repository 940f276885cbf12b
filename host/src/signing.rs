//! Who vouches for a component: signing one, and refusing those that no trusted key has signed.
//!
//! The format is that of the WebAssembly tool-conventions for signatures, as the `wasmsign2` tool
//! writes it: an Ed25519 signature over the SHA-256 of all sections, in a custom section named `signature` in front of
//! them, or in a file beside the component (`NAME.wasm.sig`). Keys are PEM files.

use std::fs::OpenOptions;
use std::io::{self, Cursor, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use wasmsign2::{KeyPair, Module, PublicKey, PublicKeySet, SecretKey, WSError};

use crate::error::{Error, Invalid, Result};

/// The keys that are trusted to vouch for components. Without any, nothing has to be signed.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// Each with the file that it is from.
    keys: Vec<(String, PublicKey)>,
}

impl Trust {
    /// Adds the public key of a PEM file.
    pub fn add_file(&mut self, path: &Path) -> Result<()> {
        let name = path.display();
        let pem =
            std::fs::read_to_string(path).map_err(|e| Invalid::new(format!("the key {name} can't be read: {e}")))?;
        let key = PublicKey::from_pem(&pem).map_err(|e| {
            Invalid::new(format!("{name} is no public key: {e}"))
                .hint("a public key is a PEM file, as `weir keygen` writes it beside the secret one (NAME.pub)")
        })?;
        self.keys.push((name.to_string(), key));
        Ok(())
    }

    /// Whether nothing has to be signed.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Refuses a component that no key of these has signed. The file that the key is from, where there are keys.
    pub fn check(&self, name: &str, wasm: &[u8], detached: Option<&[u8]>) -> Result<Option<&str>, Invalid> {
        if self.keys.is_empty() {
            return Ok(None);
        }
        let keys: PublicKeySet = PublicKeySet::new(self.keys.iter().map(|(_, key)| key.clone()).collect());
        let signers = keys.verify(&mut Cursor::new(wasm), detached).map_err(|error| {
            let (what, hint) = match error {
                WSError::NoSignatures => ("it is not signed", "sign it: weir sign COMPONENT --key KEY"),
                WSError::VerificationFailed => (
                    "its signature is of no trusted key, or it has been changed since it was signed",
                    "`[trust]` says which keys are trusted",
                ),
                _ => ("its signature can't be read", "sign it anew: weir sign COMPONENT --key KEY"),
            };
            Invalid::new(format!("{name}: {what}")).hint(hint)
        })?;
        Ok(self.keys.iter().find(|(_, key)| signers.contains(key)).map(|(file, _)| file.as_str()))
    }
}

/// The file beside a component that may have its signature.
pub fn detached_path(component: &Path) -> PathBuf {
    let mut path = component.as_os_str().to_owned();
    path.push(".sig");
    path.into()
}

/// A component with a signature in it. One that it had is replaced.
pub fn sign(wasm: &[u8], key: &Key) -> Result<Vec<u8>> {
    let mut signed = Vec::new();
    signed_module(wasm, key)?.serialize(&mut signed).map_err(|e| failed(&e))?;
    Ok(signed)
}

/// A signature of a component as it stands, for a file beside it.
pub fn sign_detached(wasm: &[u8], key: &Key) -> Result<Vec<u8>> {
    let (module, signature) = signed_module(wasm, key)?.detach_signature().map_err(|e| failed(&e))?;
    let mut bytes = Vec::new();
    module.serialize(&mut bytes).map_err(|e| failed(&e))?;
    match bytes == wasm {
        true => Ok(signature),
        false => Err(Invalid::new(
            "the component can't have a signature beside it: it has one in it, or is encoded unusually",
        )
        .hint("sign without --detached")
        .into()),
    }
}

fn signed_module(wasm: &[u8], key: &Key) -> Result<Module> {
    let module = Module::deserialize(&mut Cursor::new(wasm)).map_err(|e| failed(&e))?;
    key.0.sign(module, None).map_err(|e| failed(&e))
}

fn failed(error: &WSError) -> Error {
    Error::invalid(format!("the component can't be signed: {error}"))
}

/// A secret key.
pub struct Key(SecretKey);

impl Key {
    /// The key of a PEM file.
    pub fn from_file(path: &Path) -> Result<Self> {
        let name = path.display();
        let pem =
            std::fs::read_to_string(path).map_err(|e| Invalid::new(format!("the key {name} can't be read: {e}")))?;
        let key = SecretKey::from_pem(&pem)
            .map_err(|e| Invalid::new(format!("{name} is no secret key: {e}")).hint("`weir keygen NAME` makes one"))?;
        Ok(Self(key))
    }

    /// Makes a pair of keys: the secret one in a new file that its owner alone can read, the public one beside it.
    /// Returns the public one's path.
    pub fn generate(path: &Path) -> Result<PathBuf> {
        let pair = KeyPair::generate();
        let mut public = path.as_os_str().to_owned();
        public.push(".pub");
        let public = PathBuf::from(public);
        write_new(path, 0o600, &pair.sk.to_pem())?;
        write_new(&public, 0o644, &pair.pk.to_pem())?;
        Ok(public)
    }
}

/// A key that is there already is never replaced: what it has signed would be worth nothing.
fn write_new(path: &Path, mode: u32, text: &str) -> Result<()> {
    let write = || -> io::Result<()> {
        OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?.write_all(text.as_bytes())
    };
    write().map_err(|e| Error::sink_io(format!("the key {} can't be written", path.display()), e))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn component() -> Vec<u8> {
        wat::parse_str("(component (core module (func (export \"f\"))))").expect("WAT")
    }

    struct Keys(tempfile::TempDir);

    impl Keys {
        fn new() -> Self {
            Self(tempfile::tempdir().expect("a folder"))
        }

        fn make(&self, name: &str) -> (Key, Trust) {
            let path = self.0.path().join(name);
            let public = Key::generate(&path).expect("keys");
            let mut trust = Trust::default();
            trust.add_file(&public).expect("a public key");
            (Key::from_file(&path).expect("a secret key"), trust)
        }
    }

    #[test]
    fn what_a_trusted_key_has_signed_is_taken_and_nothing_else() {
        let keys = Keys::new();
        let ((key, trust), (_, other)) = (keys.make("a"), keys.make("b"));
        let signed = sign(&component(), &key).expect("signed");
        assert!(trust.check("it", &signed, None).expect("trusted").is_some_and(|file| file.ends_with("a.pub")));
        let said = |trust: &Trust, wasm: &[u8]| trust.check("it", wasm, None).expect_err("refused").message;
        assert_eq!(said(&trust, &component()), "it: it is not signed");
        let unknown = "it: its signature is of no trusted key, or it has been changed since it was signed";
        assert_eq!(said(&other, &signed), unknown);
        for at in 8..signed.len() {
            let mut changed = signed.clone();
            changed[at] ^= 1;
            assert!(trust.check("it", &changed, None).is_err(), "byte {at}");
        }
        let more = [signed.clone(), vec![0, 2, 1, b'x']].concat();
        assert_eq!(said(&trust, &more), unknown, "a section behind it");
        // Whoever signs anew replaces the signature.
        let (again, _) = (sign(&signed, &key).expect("signed"), ());
        assert_eq!(again, signed);
        assert!(Trust::default().check("it", &component(), None).is_ok_and(|key| key.is_none()));
    }

    #[test]
    fn a_signature_may_stand_beside_the_component() {
        let keys = Keys::new();
        let ((key, trust), (other, _)) = (keys.make("a"), keys.make("b"));
        let beside = sign_detached(&component(), &key).expect("signed");
        assert!(trust.check("it", &component(), Some(&beside)).is_ok());
        let unknown = sign_detached(&component(), &other).expect("signed");
        assert!(trust.check("it", &component(), Some(&unknown)).is_err());
        assert!(trust.check("it", &component(), Some(b"none")).is_err());
        assert!(sign_detached(&sign(&component(), &key).expect("signed"), &key).is_err());
    }

    #[test]
    fn a_secret_key_is_its_owner_s_and_never_replaced() {
        let keys = Keys::new();
        keys.make("a");
        let path = keys.0.path().join("a");
        assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
        assert!(Key::generate(&path).is_err());
        assert!(Key::from_file(&keys.0.path().join("a.pub")).is_err());
        assert!(Trust::default().add_file(&path).is_err());
    }
}
