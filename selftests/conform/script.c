// SPDX-License-Identifier: GPL-2.0
/*
 * The runner, see script.h.  Owns the ladder of the running script and its way
 * out (longjmp), so that scripts need no error handling at all.
 */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <kselftest.h>
#include "peer.h"
#include "script.h"
#include "stack.h"

static struct script *scripts, **tail = &scripts;
static jmp_buf out;
static char ladder[256 * 1024];
static size_t ladder_len;
static char reason[1024];
static bool running;

int script_skipped;

void script_register(struct script *s)
{
	*tail = s;
	tail = &s->next;
}

void note(const char *fmt, ...)
{
	size_t left = sizeof(ladder) - ladder_len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(ladder + ladder_len, left, fmt, ap);
	va_end(ap);
	if (n > 0 && (size_t)n < left)
		ladder_len += n;
}

/* Each line of the ladder as a KTAP comment; a very long one from its end. */
void print_ladder(void)
{
	char *line = ladder, *end;

	ladder[ladder_len] = 0;
	if (ladder_len > 12000) {
		line = ladder + ladder_len - 12000;
		ksft_print_msg("...\n");
	}
	for (; *line; line = end + 1) {
		end = strchr(line, '\n');
		if (!end)
			break;
		*end = 0;
		ksft_print_msg("  %s\n", line);
	}
}

static _Noreturn void leave(const char *fmt, va_list ap, int how)
{
	vsnprintf(reason, sizeof(reason), fmt, ap);
	if (!running)
		ksft_exit_fail_msg("%s\n", reason);
	longjmp(out, how);
}

void fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	leave(fmt, ap, 1);
}

void skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	leave(fmt, ap, 2);
}

const char *script_run(void (*fn)(void))
{
	int how;

	ladder_len = 0;
	running = true;
	peer_begin();
	how = setjmp(out);
	if (!how)
		fn();
	running = false;
	script_skipped = how == 2;
	peer_end();
	sysctl_restore();
	return how ? reason : NULL;
}

static int not_for_this_stack, all;

static void run_one(struct script *s)
{
	const char *why = script_run(s->run);
	int v = family == AF_INET ? 4 : 6;

	all++;
	if (script_skipped) {
		not_for_this_stack++;
		ksft_test_result_skip("reference: %s/v%d: %s\n", s->name, v, why);
		return;
	}
	ksft_test_result(!why, "%s/v%d (%s)\n", s->name, v, s->rfc);
	if (why)
		ksft_print_msg("%s\n", why);
	if (why || getenv("V"))
		print_ladder();
}

static bool wanted(const struct script *s, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strstr(s->name, argv[i]))
			return true;
	return argc < 2;
}

int script_main(int argc, char **argv)
{
	struct script *s;
	int n = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	ksft_print_header();
	stack_init();
	peer_init();
	stack_setup();
	for (s = scripts; s; s = s->next)
		n += 2 * wanted(s, argc, argv);
	ksft_set_plan(n + 1);
	for (s = scripts; s; s = s->next) {
		if (!wanted(s, argc, argv))
			continue;
		for (family = AF_INET; family; family = family == AF_INET ? AF_INET6 : 0)
			run_one(s);
	}
	if (not_for_this_stack == all)
		ksft_test_result_skip("reference: nothing here is for this stack\n");
	else
		ksft_test_result(stack_was_used(),
				 "all of it went through the stack under test\n");
	ksft_finished();
	return 0;
}
