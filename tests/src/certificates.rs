//! The keys and certificates of one control plane: an authority, a certificate for its server, one for an administrator, and
//! the key that signs service-account tokens. Made fresh for each control plane; written into a folder and nowhere else.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

/// Where the files are. All of them are PEM.
#[derive(Debug, Clone)]
pub struct Certificates {
    /// Certificate of the authority, for both sides.
    pub authority: PathBuf,
    /// Certificate of the API server, for 127.0.0.1 and localhost.
    pub server: PathBuf,
    /// Key of the API server.
    pub server_key: PathBuf,
    /// Certificate of `admin`, in the group `system:masters`, which RBAC lets do everything.
    pub admin: PathBuf,
    /// Key of `admin`.
    pub admin_key: PathBuf,
    /// Key that signs service-account tokens.
    pub tokens_key: PathBuf,
    /// Public key that checks service-account tokens.
    pub tokens_public: PathBuf,
}

impl Certificates {
    /// Makes them all in `folder`, which must exist.
    ///
    /// # Errors
    /// When a file cannot be written or a key cannot be made.
    pub fn make(folder: &Path) -> Result<Self> {
        let files = Self {
            authority: folder.join("ca.crt"),
            server: folder.join("server.crt"),
            server_key: folder.join("server.key"),
            admin: folder.join("admin.crt"),
            admin_key: folder.join("admin.key"),
            tokens_key: folder.join("tokens.key"),
            tokens_public: folder.join("tokens.pub"),
        };

        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params
            .distinguished_name
            .push(DnType::CommonName, "control plane of a test");
        let key = KeyPair::generate()?;
        write(&files.authority, &params.self_signed(&key)?.pem())?;
        let authority = Issuer::new(params, key);

        let mut params = CertificateParams::new(["127.0.0.1", "localhost"].map(String::from))?;
        params
            .distinguished_name
            .push(DnType::CommonName, "kube-apiserver");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        sign(params, &authority, &files.server, &files.server_key)?;

        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "admin");
        params
            .distinguished_name
            .push(DnType::OrganizationName, "system:masters");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        sign(params, &authority, &files.admin, &files.admin_key)?;

        let key = KeyPair::generate()?;
        write(&files.tokens_key, &key.serialize_pem())?;
        write(&files.tokens_public, &key.public_key_pem())?;
        Ok(files)
    }
}

fn sign(
    mut params: CertificateParams,
    authority: &Issuer<'_, KeyPair>,
    certificate_file: &Path,
    key_file: &Path,
) -> Result<()> {
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    // Without it, Go cannot tell two authorities of the same name apart.
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    write(certificate_file, &params.signed_by(&key, authority)?.pem())?;
    write(key_file, &key.serialize_pem())
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(fs::set_permissions(
        path,
        fs::Permissions::from_mode(0o600),
    )?)
}
