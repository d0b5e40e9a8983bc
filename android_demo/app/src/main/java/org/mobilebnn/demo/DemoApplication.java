package org.mobilebnn.demo;

import android.app.Application;
import org.mobilebnn.demo.benchmark.Benchmark;
import org.mobilebnn.demo.benchmark.BenchmarkSession;
import org.mobilebnn.demo.network.Adoption;
import org.mobilebnn.demo.network.BnnOpener;
import org.mobilebnn.demo.network.ModelStore;
import org.mobilebnn.demo.network.NetworkOpener;

/** What outlives a rotation: the networks, and what opens them. */
public class DemoApplication extends Application {
    private ModelStore store;
    private NetworkOpener opener;
    private Adoption adoption;
    private BenchmarkSession session;

    /** The networks that can be chosen. */
    public final synchronized ModelStore store() {
        if (store == null) {
            store = newStore();
        }
        return store;
    }

    /** What runs them. */
    public final synchronized NetworkOpener opener() {
        if (opener == null) {
            opener = newOpener();
        }
        return opener;
    }

    /** What takes files of the user's. */
    public final synchronized Adoption adoption() {
        if (adoption == null) {
            adoption = new Adoption(store());
        }
        return adoption;
    }

    /** What is measured, or was, since the app began. */
    public final synchronized BenchmarkSession benchmark() {
        if (session == null) {
            session = new BenchmarkSession(this, store(), opener());
        }
        return session;
    }

    /** How long the benchmark takes; tests have less patience. */
    protected Benchmark.Effort effort() {
        return Benchmark.NORMAL;
    }

    /** Lists the networks; a test makes an app without any. */
    protected ModelStore newStore() {
        return new ModelStore(this);
    }

    /** Makes what runs networks; tests on a PC name the PC's runtime here. */
    protected NetworkOpener newOpener() {
        return new BnnOpener(null);
    }
}
