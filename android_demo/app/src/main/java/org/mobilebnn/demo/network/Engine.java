package org.mobilebnn.demo.network;

import org.mobilebnn.demo.R;

/** What runs a network: of the three forms that each one has, the form and the kernels that go with it. */
public enum Engine {
    /** The binary form, by our delegate; XNNPACK runs the float operators that are left. */
    BINARY("binary", "delegate", R.string.engine_binary, R.color.accent),
    /** The float file of the same function, by XNNPACK. */
    FLOAT("float", "litert", R.string.engine_float, R.color.bar_float),
    /** The architecture without binary layers in int8, by XNNPACK. */
    INT8("int8", "litert", R.string.engine_int8, R.color.bar_int8);

    /** The name of its form in the catalogue. */
    public final String form;
    /** Its name in the records of {@code mbnn profile}. */
    public final String recordName;
    /** A resource: its name for people. */
    public final int title;
    /** A resource: the colour of its bars. */
    public final int color;

    Engine(String form, String recordName, int title, int color) {
        this.form = form;
        this.recordName = recordName;
        this.title = title;
        this.color = color;
    }
}
