"""The same equations twice more, slowly: a dense fixed-point iteration, and the plain time march with every history kept."""

import numpy as np


def dense_fixed_point(
    steps,
    eigenvalues,
    target,
    *,
    multiplicities=None,
    features=np.inf,
    data=np.inf,
    reuse,
    learning_rate,
    richness,
    initial_variance=0.0,
    noise_variance=0.0,
    tolerance=1e-13,
    most=400,
):
    """Iterate whole T x T matrices from C2 = Cw = 0; return test loss, train loss, scale and sweeps.

    `target` holds the squared target coefficients of each mode, `data` is B or P.
    """
    size = steps + 1
    lam, w2 = np.asarray(eigenvalues, float), np.asarray(target, float)
    mult = np.ones_like(lam) if multiplicities is None else multiplicities
    n, b, eta, gamma, var, noise = (
        1 / features,
        1 / data,
        learning_rate,
        richness,
        initial_variance,
        noise_variance,
    )
    one, ones = np.eye(size), np.ones((size, size))
    theta = np.tril(ones, -1)
    c2, cw, cdelta = np.zeros((size, size)), np.zeros((size, size)), np.zeros((size, size))
    rdelta, r22 = one.copy(), one.copy()
    before = np.zeros(size)
    for sweep in range(1, most + 1):
        inverse = np.linalg.inv(one - eta**2 * gamma * theta @ (c2 * theta))
        k, k0 = eta * inverse @ theta, inverse @ np.ones(size)
        j = k + eta * gamma * cw * theta
        q = j @ r22
        u = q @ rdelta
        v = np.linalg.inv(one + lam[:, None, None] * u)
        if reuse:
            rdelta = one + b * np.einsum("k,kts->ts", mult, v - one)
        g = rdelta @ np.einsum("k,kts->ts", mult * lam, v)
        r22 = np.linalg.inv(one + n * g @ j)
        c = -n * r22 @ g @ k0  # over the square of sigma_w
        jc, kc = np.outer(j @ c, k0), np.outer(k @ c, k0)
        s = j @ c2 @ j.T + var * (jc + jc.T + np.outer(k0, k0))
        noises = q @ cdelta @ q.T
        second = (
            v
            @ (w2[:, None, None] * ones + n * s + b * lam[:, None, None] * noises)
            @ v.transpose(0, 2, 1)
        )
        c0 = np.einsum("k,kts->ts", mult * lam, second)
        f2 = np.einsum("k,kts->ts", mult * lam**2, second)
        cdelta = rdelta @ (c0 + noise * ones) @ rdelta.T if reuse else np.diag(np.diag(c0) + noise)
        cross = rdelta @ np.einsum("k,kts->ts", mult * lam**2, v) @ q @ cdelta
        c1 = b * np.sum(mult * lam) * cdelta - b * (cross + cross.T) + rdelta @ f2 @ rdelta.T
        c2 = r22 @ c1 @ r22.T + var * np.outer(c, c)
        cw = k @ c2 @ k.T + var * (kc + kc.T + np.outer(k0, k0))
        now = np.concatenate([np.diag(c0), np.diag(cdelta), np.diag(cw), np.diag(c2)])
        if sweep > 2 and np.max(np.abs(now - before[: now.size])) <= tolerance * np.max(
            np.abs(now)
        ):
            break
        before = now if now.size == before.size else np.resize(now, now.size)
    return np.diag(c0), np.diag(cdelta), 1 + gamma * np.diag(cw), sweep


def plain_march(
    steps,
    eigenvalues,
    target,
    *,
    features,
    data,
    reuse,
    learning_rate,
    richness,
    multiplicities=None,
):
    """March once through time as the equations are written: NumPy rows, one M x T x T history; return the test loss."""
    size = steps + 1
    lam, w2 = np.asarray(eigenvalues, float), np.asarray(target, float)
    mult = np.ones_like(lam) if multiplicities is None else multiplicities
    n, b, eta, gamma = 1 / features, 1 / data, learning_rate, richness
    trace = np.sum(mult * lam)
    k, j, q, u, r22, rdelta, g0, g1, g1q, x, g, cw, s, noises, c0, f2, cdelta, c1, c2 = np.zeros(
        (19, size, size)
    )
    v = np.zeros((lam.size, size, size))
    for t in range(size):
        a = slice(0, t + 1)
        if t:
            k[t] = k[t - 1] + eta**2 * gamma * c2[t - 1, : t - 1] @ k[: t - 1]
            k[t, t - 1] += eta
            cw[t, a] = cw[a, t] = k[a, :t] @ (c2[:t, :t] @ k[t, :t])
            j[t, :t] = k[t, :t] + eta * gamma * cw[t, :t]
            s[t, a] = s[a, t] = j[a, :t] @ (c2[:t, :t] @ j[t, :t])
            q[t, :t] = j[t, :t] @ r22[:t, :t]
            u[t, :t] = q[t, :t] @ rdelta[:t, :t]
            noises[t, a] = noises[a, t] = q[a, :t] @ (cdelta[:t, :t] @ q[t, :t])
        v[:, t, t] = 1
        if t:
            v[:, t, :t] = -lam[:, None] * (u[t, :t] @ v[:, :t, :t])
        row = v[:, t, a]
        y = (
            (w2 * row.sum(axis=1))[:, None]
            + n * row @ s[a, a]
            + b * lam[:, None] * (row @ noises[a, a])
        )
        rows = (v[:, a, a] @ y[:, :, None])[:, :, 0]
        c0[t, a] = c0[a, t] = (mult * lam) @ rows
        f2[t, a] = f2[a, t] = (mult * lam**2) @ rows
        g0[t, a], g1[t, a] = (mult * lam) @ row, (mult * lam**2) @ row
        rdelta[t, t] = 1
        if reuse:
            rdelta[t, :t] = b * mult @ row[:, :t]
        g1q[t, a] = g1[t, a] @ q[a, a]
        x[t, a] = rdelta[t, a] @ g1q[a, a]
        if reuse:
            cdelta[t, a] = cdelta[a, t] = rdelta[a, a] @ (c0[a, a] @ rdelta[t, a])
        else:
            cdelta[t, t] = c0[t, t]
        g[t, a] = rdelta[t, a] @ g0[a, a]
        c1[t, a] = (
            b * trace * cdelta[t, a]
            - b * (x[t, a] @ cdelta[a, a] + x[a, a] @ cdelta[t, a])
            + rdelta[a, a] @ (f2[a, a] @ rdelta[t, a])
        )
        c1[a, t] = c1[t, a]
        r22[t] = -n * g[t, a] @ q[a]
        r22[t, t] = 1
        c2[t, a] = c2[a, t] = r22[a, a] @ (c1[a, a] @ r22[t, a])
    return np.diag(c0)
