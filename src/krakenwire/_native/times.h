/* Times as text into nanoseconds or microseconds since 1970: RFC 3339 with six decimals, and seconds with six.
 *
 * Each function reads from behind an opening quote to behind the closing one, nothing at or after the end of the
 * frame, and returns NULL for any other form. Next: frame_v2.h and frame_v1.h.
 */
#ifndef KW_TIMES_H
#define KW_TIMES_H

#include "number.h"

#define KW_UNIX_SECONDS_MAX INT64_C(9223372035) /* later ones do not fit an int64 of nanoseconds */

/* Days from 1970 to a date, -1 when there is no such date; years 1970 to 2199. */
static inline int64_t kw_days(int year, int month, int day) {
    static const int16_t before[13] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
    int leap, years;
    if (year < 1970 || year > 2199 || month < 1 || month > 12 || day < 1) return -1;
    leap = year % 4 == 0 && (year % 100 != 0 || year == 2000);
    if (day > before[month] - before[month - 1] + (leap && month == 2)) return -1;
    years = year - 1970;
    /* Leap days of whole years since 1970: each fourth year from 1972, but for 2100. */
    return (int64_t)years * 365 + (years + 1) / 4 - (year > 2100) + before[month - 1] + (leap && month > 2) + day - 1;
}

KW_INLINE int64_t kw_ns_of(int year, int month, int day, int hour, int minute, int second, int64_t micros) {
    int64_t days = kw_days(year, month, day);
    if (days < 0 || hour > 23 || minute > 59 || second > 59) return -1;
    return (((days * 24 + hour) * 60 + minute) * 60 + second) * INT64_C(1000000000) + micros * 1000;
}

#if KW_WORDS
/* Digit values of a word that must look like `form`, whose digits are 0; `*wrong` gets bits when it does not. */
KW_INLINE uint64_t kw_formed(const char *p, const char *form, uint64_t *wrong) {
    uint64_t model = kw_load8(form), values = kw_load8(p) ^ model, digits = model ^ KW_EACH('0');
    /* 0x7f where the form has no digit: any difference is too much. 0x76 where it has one: 9 is the most. */
    uint64_t is_digit = ((digits - KW_EACH(1)) & ~digits & KW_EACH(0x80)) >> 7;
    *wrong |= ((values + (KW_EACH(0x7f) - is_digit * 9)) | values) & KW_EACH(0x80);
    return values;
}

/* What :53.398143Z at p + 16 adds to its minute, -1 when it is too much; as kw_formed with what is wrong. */
KW_INLINE int64_t kw_in_minute(const char *p, uint64_t *wrong) {
    uint64_t second = kw_formed(p + 16, ":00.0000", wrong), micros = kw_formed(p + 19, ".000000Z", wrong);
    int64_t seconds = (int64_t)((second >> 8 & 0xff) * 10 + (second >> 16 & 0xff));
    return seconds > 59 ? -1 : seconds * INT64_C(1000000000) + (int64_t)kw_eight_digits(micros >> 8 << 16) * 1000;
}
#endif

/* The 27 characters of 2026-08-01T02:53:53.398143Z; from behind the opening quote to behind the closing one. */
static inline const char *kw_rfc3339(const char *p, const char *end, int64_t *time_ns) {
    int64_t ns;
    if (end - p < 28 || p[27] != '"') return NULL;
#if KW_WORDS
    uint64_t wrong = 0;
    uint64_t date = kw_formed(p, "0000-00-", &wrong), hour = kw_formed(p + 8, "00T00:00", &wrong);
    int64_t in_minute = kw_in_minute(p, &wrong);
    if (wrong || in_minute < 0) return NULL;
    date = date * 10 + (date >> 8); /* at the byte of a first digit: the two digits' value */
    hour = hour * 10 + (hour >> 8);
    ns = kw_ns_of((int)(date & 0xff) * 100 + (int)(date >> 16 & 0xff), (int)(date >> 40 & 0xff), (int)(hour & 0xff),
                  (int)(hour >> 24 & 0xff), (int)(hour >> 48 & 0xff), 0, 0);
    if (ns >= 0) ns += in_minute;
#else
    static const char form[] = "0000-00-00T00:00:00.000000Z";
    int v[27];
    int64_t us = 0;
    for (int i = 0; i < 27; i++) {
        v[i] = p[i] - '0';
        if (form[i] == '0' ? (unsigned)v[i] > 9 : p[i] != form[i]) return NULL;
    }
    for (int i = 20; i < 26; i++) us = us * 10 + v[i];
    ns = kw_ns_of(v[0] * 1000 + v[1] * 100 + v[2] * 10 + v[3], v[5] * 10 + v[6], v[8] * 10 + v[9], v[11] * 10 + v[12],
                  v[14] * 10 + v[15], v[17] * 10 + v[18], us);
#endif
    if (ns < 0) return NULL;
    *time_ns = ns;
    return p + 28;
}

/* The same, in fewer steps where the minute is that of the last one: nearly always. */
static inline const char *kw_rfc3339_next(kw_minute *minute, const char *p, const char *end, int64_t *time_ns) {
#if KW_WORDS
    uint64_t wrong = 0;
    if (end - p < 28 || p[27] != '"') return NULL;
    if (KW_LIKELY(minute->known && kw_load8(p) == minute->text[0] && kw_load8(p + 8) == minute->text[1])) {
        int64_t in_minute = kw_in_minute(p, &wrong);
        *time_ns = minute->ns + in_minute;
        return wrong || in_minute < 0 ? NULL : p + 28;
    }
    if (!kw_rfc3339(p, end, time_ns)) return NULL;
    minute->known = 1;
    minute->text[0] = kw_load8(p);
    minute->text[1] = kw_load8(p + 8);
    minute->ns = *time_ns - *time_ns % INT64_C(60000000000);
    return p + 28;
#else
    (void)minute;
    return kw_rfc3339(p, end, time_ns);
#endif
}

/* The 17 characters of 1534614248.765567, as microseconds; from behind the opening quote to behind the closing one. */
KW_INLINE const char *kw_unix_us(const char *p, const char *end, int64_t *time_us) {
    uint64_t seconds = 0, micros = 0;
    if (end - p < 18 || p[10] != '.' || p[17] != '"') return NULL;
#if KW_WORDS
    uint64_t wrong = 0;
    uint64_t first = kw_formed(p, "00000000", &wrong), rest = kw_formed(p + 9, "0.000000", &wrong);
    unsigned ninth = (unsigned char)(p[8] - '0');
    if (wrong || ninth > 9) return NULL;
    seconds = kw_eight_digits(first) * 100 + ninth * 10 + (rest & 0xff);
    micros = kw_eight_digits(rest >> 16 << 16);
#else
    const char *whole = p, *fraction = p + 11;
    if (kw_digit_run(&whole, p + 10, &seconds, 10) != 10) return NULL;
    if (kw_digit_run(&fraction, p + 17, &micros, 6) != 6) return NULL;
#endif
    if ((int64_t)seconds > KW_UNIX_SECONDS_MAX) return NULL;
    *time_us = (int64_t)(seconds * 1000000 + micros);
    return p + 18;
}

#endif
