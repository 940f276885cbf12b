//! Encrypted connections of what leaves this process: to object storage, to a collector.

/// Says once who encrypts, before the first client is made.
pub(crate) fn start() {
    // Where it has been said already, it was said here.
    drop(rustls::crypto::ring::default_provider().install_default());
}
