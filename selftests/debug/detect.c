// SPDX-License-Identifier: GPL-2.0
/*
 * A module with one deliberate mistake for each detector of the sanitized kernels: a detector that
 * is silent about these proves nothing by being silent about XTCP. `fire` loads it once for each
 * mistake and looks for the report; it is never part of xtcp.ko.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

static char *what = "";
module_param(what, charp, 0);
MODULE_PARM_DESC(what, "name of the mistake to make");

static DEFINE_SPINLOCK(first);
static DEFINE_SPINLOCK(second);

/* The compiler must not see through these. */
static volatile int width = 31;
static volatile int past_end = 4;

static void write_past_end(void)
{
	volatile char *bytes = kmalloc(60, GFP_KERNEL);

	if (bytes)
		bytes[60] = 1;
	kfree((void *)bytes);
}

static void use_after_free(void)
{
	volatile char *bytes = kmalloc(64, GFP_KERNEL);

	kfree((void *)bytes);
	if (bytes)
		(void)bytes[3];
}

static void shift_too_far(void)
{
	volatile int result = width << (width + 2);

	(void)result;
}

static void index_too_far(void)
{
	static int four[4];
	volatile int result;

	result = four[past_end];
	(void)result;
}

static void lock_in_both_orders(void)
{
	spin_lock(&first);
	spin_lock(&second);
	spin_unlock(&second);
	spin_unlock(&first);

	spin_lock(&second);
	spin_lock(&first);
	spin_unlock(&first);
	spin_unlock(&second);
}

static void sleep_under_spinlock(void)
{
	spin_lock(&first);
	msleep(20);
	spin_unlock(&first);
}

static void dereference_outside_rcu(void)
{
	static int __rcu *pointer;

	(void)rcu_dereference(pointer);
}

static noinline void lose_memory(void)
{
	void *volatile lost;
	int i;

	for (i = 0; i < 8; i++)
		lost = kmalloc(777, GFP_KERNEL);
	lost = NULL;
	(void)lost;
}

static void revive_reference(void)
{
	refcount_t references = REFCOUNT_INIT(0);

	refcount_inc(&references);
}

static void nothing(struct timer_list *timer)
{
}

static void free_armed_timer(void)
{
	struct timer_list *timer = kmalloc(sizeof(*timer), GFP_KERNEL);

	if (!timer)
		return;
	timer_setup(timer, nothing, 0);
	mod_timer(timer, jiffies + 50 * HZ);
	kfree(timer);
}

static const struct {
	const char *name;
	void (*make)(void);
} mistakes[] = {
	{ "past-end", write_past_end },
	{ "after-free", use_after_free },
	{ "shift", shift_too_far },
	{ "index", index_too_far },
	{ "order", lock_in_both_orders },
	{ "sleep", sleep_under_spinlock },
	{ "rcu", dereference_outside_rcu },
	{ "leak", lose_memory },
	{ "refcount", revive_reference },
	{ "timer", free_armed_timer },
};

static int __init detect_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(mistakes); i++) {
		if (strcmp(mistakes[i].name, what))
			continue;
		mistakes[i].make();
		return 0;
	}
	return -EINVAL;
}

static void __exit detect_exit(void)
{
}

module_init(detect_init);
module_exit(detect_exit);
MODULE_DESCRIPTION("Deliberate mistakes, to see the detectors fire");
MODULE_LICENSE("GPL");
