import { type Detector, token } from "../kind.ts";

const B64 = "[A-Za-z0-9./+]";

/** What a password can be guessed from, as libraries store it. */
export const PASSWORD_HASHES: readonly Detector[] = [
  token("password-hash", "passwords", {
    about: "Hash of a password: bcrypt, Argon2, crypt(3), PBKDF2, scrypt, phpass, LDAP, SCRAM or ASP.NET Identity",
    shapes: [
      `$2[abxy]$\\d\\d$${B64}{53}`,
      `$argon2id$v=\\d{2}$m=\\d{1,8},t=\\d{1,4},p=\\d{1,3}$${B64}{11,88}$${B64}{22,128}`,
      `$argon2[id]$v=\\d{2}$m=\\d{1,8},t=\\d{1,4},p=\\d{1,3}$${B64}{11,88}$${B64}{22,128}`,
      `argon2$argon2id$v=\\d{2}$m=\\d{1,8},t=\\d{1,4},p=\\d{1,3}$${B64}{11,88}$${B64}{22,128}`,
      `$6$${B64}{1,16}$${B64}{86}`,
      `$6$rounds=\\d{1,9}$${B64}{1,16}$${B64}{86}`,
      `$5$${B64}{1,16}$${B64}{43}`,
      `$5$rounds=\\d{1,9}$${B64}{1,16}$${B64}{43}`,
      `$y$[A-Za-z0-9./]{1,8}$${B64}{1,86}$${B64}{43}`,
      `$1$${B64}{1,8}$${B64}{22}`,
      `$apr1$${B64}{1,8}$${B64}{22}`,
      `$P$B${B64}{30}`,
      `pbkdf2_sha256$\\d{4,8}$[A-Za-z0-9]{1,64}$${B64}{43}=`,
      "pbkdf2:sha256:\\d{4,8}$[A-Za-z0-9]{1,64}$[0-9a-f]{64}",
      "scrypt:\\d{2,8}:\\d{1,2}:\\d{1,2}$[A-Za-z0-9]{1,64}$[0-9a-f]{128}",
      `SCRAM-SHA-256$\\d{4,8}:${B64}{6,88}=*$${B64}{43}=:${B64}{43}=`,
      `\\{SSHA\\}${B64}{32}=*`,
      `\\{SSHA512\\}${B64}{96,108}=*`,
      "AQAAAA[EI]AA[A-Za-z0-9+/]{70,76}=*",
    ],
    source: "crypt(5); the PHC string format; passlib; PostgreSQL; RFC 2307; ASP.NET Core Identity",
    isOpen: true,
  }),
];
