/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a script is, and how one fails.
 *
 *	SCRIPT(handshake_passive, "RFC 9293 3.5, figure 6")
 *	{
 *		...
 *	}
 *	SCRIPT_MAIN
 *
 * Each script runs twice, over IPv4 and IPv6, with fresh ports in one network
 * namespace, and gives one KTAP line each.  The first failed check ends it; the
 * ladder of its segments is printed below the "not ok".  Arguments of a program
 * select scripts by substring; V=1 prints every ladder.
 */
#ifndef CONFORM_SCRIPT_H
#define CONFORM_SCRIPT_H

struct script {
	const char *name, *rfc;
	void (*run)(void);
	struct script *next;
};

void script_register(struct script *s);
int script_main(int argc, char **argv);

#define SCRIPT(name_, rfc_)						\
	static void script_##name_(void);				\
	static struct script entry_##name_ = {				\
		.name = #name_, .rfc = rfc_, .run = script_##name_,	\
	};								\
	__attribute__((constructor)) static void register_##name_(void)	\
	{								\
		script_register(&entry_##name_);			\
	}								\
	static void script_##name_(void)

#define SCRIPT_MAIN							\
	int main(int argc, char **argv)					\
	{								\
		return script_main(argc, argv);				\
	}

/*
 * Run one case: setjmp, fn, clean up.  Returns NULL when it passed, else why
 * not, valid until the next call.  matrix.c uses it directly.
 */
const char *script_run(void (*fn)(void));

/* What happened so far, for the ladder. */
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void print_ladder(void);
/* The script ends here, failed. */
_Noreturn void fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The script ends here: what it tests isn't in this kernel at all. */
_Noreturn void skip(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* true if the last script_run() ended in skip() */
extern int script_skipped;

#define check(cond) do {						\
	if (!(cond))							\
		fail("%s:%d: not so: %s", __FILE__, __LINE__, #cond);	\
} while (0)

/* Two numbers, printed when they differ. */
#define check_eq(a, b) do {						\
	long a_ = (long)(a), b_ = (long)(b);				\
	if (a_ != b_)							\
		fail("%s:%d: %s is %ld, expected %ld (%s)",		\
		     __FILE__, __LINE__, #a, a_, b_, #b);		\
} while (0)

/* A number in [lo, hi]. */
#define check_range(a, lo, hi) do {					\
	double a_ = (double)(a), lo_ = (double)(lo), hi_ = (double)(hi);\
	if (a_ < lo_ || a_ > hi_)					\
		fail("%s:%d: %s is %g, expected %g to %g",		\
		     __FILE__, __LINE__, #a, a_, lo_, hi_);		\
} while (0)

#endif
