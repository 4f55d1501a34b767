#pragma once
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

// Swift sees neither function-like macros nor variadic functions. These wrappers give them a plain C shape and nothing
// more; what they guarantee is what OpenSSL's manual says of the macro named in each.

/// BIO_get_mem_data: the unread bytes of a memory BIO, without copying them.
static inline long flux_BIO_get_mem_data(BIO *bio, const unsigned char **bytes) {
    char *start = NULL;
    long length = BIO_get_mem_data(bio, &start);
    *bytes = (const unsigned char *)start;
    return length;
}

/// BIO_get_mem_ptr: how many bytes a memory BIO has allocated.
static inline size_t flux_BIO_mem_capacity(BIO *bio) {
    BUF_MEM *memory = NULL;
    BIO_get_mem_ptr(bio, &memory);
    return memory == NULL ? 0 : memory->max;
}

/// BIO_reset: forgets the unread bytes of a memory BIO.
static inline int flux_BIO_reset(BIO *bio) { return BIO_reset(bio); }

/// BIO_set_mem_eof_return: an empty memory BIO answers "try again", not "end of file".
static inline void flux_BIO_set_retry_when_empty(BIO *bio) { BIO_set_mem_eof_return(bio, -1); }

/// EVP_PKEY_Q_keygen for the NIST P-256 curve.
static inline EVP_PKEY *flux_EVP_PKEY_generate_p256(void) {
    return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
}

/// EVP_PKEY_Q_keygen for Ed25519.
static inline EVP_PKEY *flux_EVP_PKEY_generate_ed25519(void) {
    return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

/// sk_GENERAL_NAME_num: how many names a subjectAltName has.
static inline int flux_GENERAL_NAMES_count(const GENERAL_NAMES *names) { return sk_GENERAL_NAME_num(names); }

/// sk_GENERAL_NAME_value: the bytes of one name if it is a DNS name, and their number; else -1. They live as long as `names`.
static inline int flux_GENERAL_NAMES_dns(const GENERAL_NAMES *names, int index, const unsigned char **bytes) {
    const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, index);
    if (name == NULL || name->type != GEN_DNS) return -1;
    *bytes = ASN1_STRING_get0_data(name->d.dNSName);
    return ASN1_STRING_length(name->d.dNSName);
}

/// sk_X509_num: how many certificates a chain has.
static inline int flux_X509_chain_count(const STACK_OF(X509) *chain) { return chain == NULL ? 0 : sk_X509_num(chain); }

/// sk_X509_value: one certificate of a chain, still owned by it.
static inline X509 *flux_X509_chain_at(const STACK_OF(X509) *chain, int index) { return sk_X509_value(chain, index); }

/// Whether `leaf` is a server's certificate, good now, that `authority` signed, alone or over `chain`.
static inline int flux_X509_leads_to(X509 *leaf, STACK_OF(X509) *chain, X509 *authority) {
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    int verified = store != NULL && context != NULL && X509_STORE_add_cert(store, authority) == 1 &&
        X509_STORE_CTX_init(context, store, leaf, chain) == 1 &&
        X509_STORE_CTX_set_purpose(context, X509_PURPOSE_SSL_SERVER) == 1 && X509_verify_cert(context) == 1;
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    return verified;
}

/// ASN1_TIME_to_tm: seconds since 1970 UTC; -1 for a time that cannot be read.
static inline long long flux_ASN1_TIME_seconds(const ASN1_TIME *time) {
    struct tm parts;
    return ASN1_TIME_to_tm(time, &parts) == 1 ? (long long)timegm(&parts) : -1;
}

/// EVP_PKEY_get_group_name: whether a key is one on the curve P-256.
static inline int flux_EVP_PKEY_is_p256(const EVP_PKEY *key) {
    char name[32];
    size_t length = 0;
    return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
        EVP_PKEY_get_group_name(key, name, sizeof name, &length) == 1 && strcmp(name, "prime256v1") == 0;
}

/// SSL_CTX_set_min_proto_version.
static inline int flux_SSL_CTX_set_min_proto_version(SSL_CTX *context, int version) {
    return (int)SSL_CTX_set_min_proto_version(context, version);
}

/// SSL_CTX_set_mode.
static inline void flux_SSL_CTX_set_mode(SSL_CTX *context, long mode) { SSL_CTX_set_mode(context, mode); }

/// SSL_CTX_set_session_cache_mode.
static inline void flux_SSL_CTX_set_session_cache_mode(SSL_CTX *context, long mode) {
    SSL_CTX_set_session_cache_mode(context, mode);
}

/// SSL_CTX_add1_chain_cert: the context takes a reference of its own.
static inline int flux_SSL_CTX_add1_chain_cert(SSL_CTX *context, X509 *certificate) {
    return (int)SSL_CTX_add1_chain_cert(context, certificate);
}

/// SSL_set_tlsext_host_name: the server name a client asks for.
static inline int flux_SSL_set_host_name(SSL *ssl, const char *name) {
    return (int)SSL_set_tlsext_host_name(ssl, (char *)name);
}

/// A password callback that always refuses, so that an encrypted key is an error and never a prompt on the terminal.
static inline int flux_refuse_password(char *buffer, int size, int writing, void *user) {
    (void)buffer, (void)size, (void)writing, (void)user;
    return -1;
}

/// PEM_read_bio_PrivateKey without a prompt.
static inline EVP_PKEY *flux_PEM_read_private_key(BIO *bio) {
    return PEM_read_bio_PrivateKey(bio, NULL, flux_refuse_password, NULL);
}

/// PEM_read_bio_X509 without a prompt.
static inline X509 *flux_PEM_read_certificate(BIO *bio) {
    return PEM_read_bio_X509(bio, NULL, flux_refuse_password, NULL);
}

/// The protocols a server speaks, in its order of preference, in the wire form of RFC 7301 (length byte and name, each).
typedef struct {
    unsigned int length;
    unsigned char bytes[255];
} flux_alpn_protocols;

/// Picks the server's first protocol that the client offers, else goes on without one.
static inline int flux_alpn_select(
    SSL *ssl, const unsigned char **out, unsigned char *outLength, const unsigned char *offered,
    unsigned int offeredLength, void *argument) {
    (void)ssl;
    const flux_alpn_protocols *own = (const flux_alpn_protocols *)argument;
    unsigned char *chosen = NULL;
    if (SSL_select_next_proto(&chosen, outLength, own->bytes, own->length, offered, offeredLength) !=
        OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    // The answer must outlive the call: point into the client's own list or ours, both of which do.
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/// SSL_CTX_set_alpn_select_cb with the picker above; `protocols` must outlive the context.
static inline void flux_SSL_CTX_set_alpn_protocols(SSL_CTX *context, flux_alpn_protocols *protocols) {
    SSL_CTX_set_alpn_select_cb(context, flux_alpn_select, protocols);
}

// Options that OpenSSL spells with a shift of a 64-bit value, which Swift does not import.
enum {
    SSL_OP_NO_COMPRESSION_BITS = SSL_OP_NO_COMPRESSION,
    SSL_OP_NO_TICKET_BITS = SSL_OP_NO_TICKET,
    SSL_OP_CIPHER_SERVER_PREFERENCE_BITS = SSL_OP_CIPHER_SERVER_PREFERENCE,
    SSL_OP_NO_RENEGOTIATION_BITS = SSL_OP_NO_RENEGOTIATION,
};
