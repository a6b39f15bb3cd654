// Moments as credentials spell them: xsd:dateTimeStamp, always with a zone (VCDM 2.0 section 4.9).
import { isDate } from "./entry.js";
import { Fault } from "./errors.js";

const STAMP = /^(\d{4}-\d\d-\d\d)T(\d\d):(\d\d):(\d\d)(\.\d{1,9})?(?:Z|([+-])(\d\d):(\d\d))$/;

/** Milliseconds since 1970 of a moment's text; Fault naming `field` if it is none. */
export function parseMoment(text, field) {
  const found = typeof text === "string" && STAMP.exec(text);
  if (found) {
    const [, day, hour, minute, second, fraction, sign, offsetHours, offsetMinutes] = found;
    const inRange =
      isDate(day) && hour < 24 && minute < 60 && second < 60 && (!sign || (offsetHours < 24 && offsetMinutes < 60));
    if (inRange) {
      const local = Date.parse(`${day}T${hour}:${minute}:${second}Z`) + Math.floor(Number(fraction ?? 0) * 1e6) / 1e3;
      const offset = sign ? Number(`${sign}1`) * (Number(offsetHours) * 60 + Number(offsetMinutes)) : 0;
      const moment = local - offset * 60_000;
      const year = new Date(moment).getUTCFullYear();
      if (year >= 1 && year <= 9999) return moment;
    }
  }
  throw new Fault(`${field} is not a time such as 2026-07-01T00:00:00Z: ${String(text).slice(0, 60)}`);
}

/** The day, YYYY-MM-DD, of a moment in UTC. */
export const day = (moment) => new Date(moment).toISOString().slice(0, 10);

/** A moment in UTC, cut to the second. */
export const stamp = (moment) => `${new Date(moment).toISOString().slice(0, 19)}Z`;
