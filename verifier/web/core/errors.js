// What stops a reading or a check: one sentence for a person.

/** A file or QR code that cannot be read as evidence: there is no report. */
export class Unreadable extends Error {}

/** Evidence of several awards, which is checked elsewhere. */
export class Several extends Unreadable {}

/** What a newer version of this page may read. */
export class Newer extends Unreadable {}

/** A trust bundle that is malformed, wrongly signed, of another root, or rolled back. */
export class BadTrust extends Error {}

/** A check that fails; its message goes into the report. */
export class Fault extends Error {}
