export { argon2idAsync } from "@noble/hashes/argon2.js";
export { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
