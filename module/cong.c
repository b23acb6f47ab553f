// SPDX-License-Identifier: GPL-2.0
/*
 * Congestion controllers as the user sees them: those built in (core/cc.c) and those
 * that other modules register, by name for TCP_CONGESTION and the sysctls.  A socket
 * holds a reference on the module of its controller, and so does a namespace whose
 * default it is.  Never looks into a controller.
 */
#include <linux/module.h>

#include "core/hystart.h"
#include "xtcp.h"

struct entry {
	struct list_head node;
	const struct xtcp_cc_ops *ops;
};

static LIST_HEAD(registered);
static DEFINE_MUTEX(lock);		/* of the list */

static const struct xtcp_cc_ops *find_registered(const char *name)
{
	const struct entry *e;

	list_for_each_entry(e, &registered, node)
		if (!strcmp(e->ops->name, name))
			return e->ops;
	return NULL;
}

static bool is_complete(const struct xtcp_cc_ops *ops)
{
	return ops->owner && ops->name[0] && strnlen(ops->name, sizeof(ops->name)) <
	       sizeof(ops->name) && ops->init && ops->on_ack && ops->on_congestion && ops->on_idle;
}

int xtcp_cc_register(const struct xtcp_cc_ops *ops)
{
	struct entry *e;
	int err = 0;

	if (!is_complete(ops))
		return -EINVAL;
	e = kmalloc(sizeof(*e), GFP_KERNEL);
	if (!e)
		return -ENOMEM;
	e->ops = ops;
	mutex_lock(&lock);
	if (xtcp_cc_find(ops->name) || find_registered(ops->name))
		err = -EEXIST;
	else
		list_add_tail(&e->node, &registered);
	mutex_unlock(&lock);
	if (err)
		kfree(e);
	return err;
}
EXPORT_SYMBOL_GPL(xtcp_cc_register);

void xtcp_cc_unregister(const struct xtcp_cc_ops *ops)
{
	struct entry *e, *next;

	mutex_lock(&lock);
	list_for_each_entry_safe(e, next, &registered, node) {
		if (e->ops == ops) {
			list_del(&e->node);
			kfree(e);
		}
	}
	mutex_unlock(&lock);
	synchronize_rcu();	/* who reads a name or takes a default has its reference, or goes */
}
EXPORT_SYMBOL_GPL(xtcp_cc_unregister);

/* What a controller of another module may build on. */
EXPORT_SYMBOL_GPL(xtcp_cc_initial_window);
EXPORT_SYMBOL_GPL(xtcp_cc_slow_start);
EXPORT_SYMBOL_GPL(xtcp_cc_restart_window);
EXPORT_SYMBOL_GPL(xtcp_hystart_init);
EXPORT_SYMBOL_GPL(xtcp_hystart_due);
EXPORT_SYMBOL_GPL(xtcp_hystart_on_ack);

/* ---- references ---- */

static const struct xtcp_cc_ops *get_by_name(const char *name)
{
	const struct xtcp_cc_ops *ops;

	mutex_lock(&lock);
	ops = xtcp_cc_find(name);
	if (!ops)
		ops = find_registered(name);
	if (ops && !try_module_get(ops->owner))
		ops = NULL;
	mutex_unlock(&lock);
	return ops;
}

const struct xtcp_cc_ops *xtcp_cong_get_default(struct xtcp_net *xn)
{
	const struct xtcp_cc_ops *ops;

	rcu_read_lock();
	ops = READ_ONCE(xn->cc);
	if (!try_module_get(ops->owner))
		ops = xtcp_cc_nth(0);
	rcu_read_unlock();
	return ops;
}

/*
 * A listener's user may choose another one at any time, and the module of the first may
 * go; who reads it without the lock has a reference only when it says so.
 */
void xtcp_cong_inherit(struct sock *child, const struct sock *listener)
{
	const struct xtcp_cc_ops *ops;

	rcu_read_lock();
	ops = READ_ONCE(xtcp_sk(listener)->tcb.cc);
	if (!try_module_get(ops->owner))
		ops = xtcp_cc_nth(0);
	rcu_read_unlock();
	xtcp_sk(child)->tcb.cc = ops;
}

void xtcp_cong_put(const struct xtcp_cc_ops *ops)
{
	module_put(ops->owner);
}

/* ---- users ---- */

int xtcp_cong_set(struct sock *sk, const char *name)
{
	struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;
	const struct xtcp_cc_ops *ops = get_by_name(name), *old = tcb->cc;

	if (!ops)
		return -ENOENT;
	if (ops != old)
		xtcp_cc_assign(tcb, ops, xtcp_now());
	xtcp_cong_put(old);	/* of the two references where it is the same */
	return 0;
}

void xtcp_cong_name(const struct sock *sk, char *name)
{
	rcu_read_lock();
	strscpy_pad(name, READ_ONCE(xtcp_sk(sk)->tcb.cc)->name, XTCP_CC_NAME_MAX);
	rcu_read_unlock();
}

int xtcp_cong_set_default(struct xtcp_net *xn, const char *name)
{
	const struct xtcp_cc_ops *ops = get_by_name(name);

	if (!ops)
		return -ENOENT;
	xtcp_cong_put(xchg(&xn->cc, ops));
	return 0;
}

void xtcp_cong_default_name(const struct xtcp_net *xn, char *name)
{
	rcu_read_lock();
	strscpy(name, READ_ONCE(xn->cc)->name, XTCP_CC_NAME_MAX);
	rcu_read_unlock();
}

void xtcp_cong_names(char *names, size_t size)
{
	const struct xtcp_cc_ops *ops;
	const struct entry *e;
	size_t n = 0;
	int i;

	mutex_lock(&lock);
	for (i = 0; (ops = xtcp_cc_nth(i)); i++)
		n += scnprintf(names + n, size - n, "%s%s", i ? " " : "", ops->name);
	list_for_each_entry(e, &registered, node)
		n += scnprintf(names + n, size - n, " %s", e->ops->name);
	mutex_unlock(&lock);
}
