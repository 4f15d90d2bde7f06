BEGIN TRANSACTION;
CREATE TABLE box (
	id TEXT NOT NULL, 
	picture INTEGER NOT NULL, 
	label TEXT NOT NULL, 
	x1 FLOAT NOT NULL, 
	y1 FLOAT NOT NULL, 
	x2 FLOAT NOT NULL, 
	y2 FLOAT NOT NULL, 
	mask TEXT, 
	source TEXT NOT NULL, 
	score FLOAT, 
	track TEXT, 
	key_frame INTEGER NOT NULL, 
	difficult INTEGER NOT NULL, 
	crowd INTEGER NOT NULL, 
	area FLOAT, 
	number INTEGER, 
	place INTEGER NOT NULL, 
	person TEXT NOT NULL, 
	at FLOAT NOT NULL, 
	rev INTEGER NOT NULL, 
	removed INTEGER NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "box" VALUES('b',1,'k',1.0,2.0,9.5,9.0,NULL,'hand',NULL,NULL,0,0,0,NULL,NULL,1099511693313,'ann',1.79573515079106831547e+09,1,0);
CREATE TABLE change (
	seq INTEGER NOT NULL, 
	n INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	record TEXT NOT NULL, 
	picture INTEGER, 
	"before" TEXT, 
	"after" TEXT, 
	PRIMARY KEY (seq, n)
);
INSERT INTO "change" VALUES(1,0,'class','k',NULL,NULL,'{"name":"K \u00f6","colour":"","key":"","position":0,"number":null,"merged":null}');
INSERT INTO "change" VALUES(1,1,'box','b',1,NULL,'{"picture":1,"label":"k","x1":1.0,"y1":2.0,"x2":9.5,"y2":9.0,"mask":null,"source":"hand","score":null,"track":null,"key_frame":0,"difficult":0,"crowd":0,"area":null,"number":null,"place":1099511693313,"person":"ann","at":1795735150.7910683}');
INSERT INTO "change" VALUES(2,0,'picture','1',1,'{"label":null,"state":"todo"}','{"label":null,"state":"done"}');
INSERT INTO "change" VALUES(3,0,'picture','1',1,'{"label":null,"state":"done"}','{"label":null,"state":"todo"}');
CREATE TABLE class (
	id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	colour TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	position INTEGER NOT NULL, 
	number INTEGER, 
	merged TEXT, 
	rev INTEGER NOT NULL, 
	removed INTEGER NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "class" VALUES('k','K ö','','',0,NULL,NULL,1,0);
CREATE TABLE meta (
	"key" TEXT NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "meta" VALUES('schema','1');
INSERT INTO "meta" VALUES('kind','boxes');
INSERT INTO "meta" VALUES('below','');
INSERT INTO "meta" VALUES('notes','[]');
INSERT INTO "meta" VALUES('import','done');
CREATE TABLE operation (
	seq INTEGER NOT NULL, 
	id TEXT NOT NULL, 
	at FLOAT NOT NULL, 
	person TEXT NOT NULL, 
	session TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	said TEXT NOT NULL, 
	"of" INTEGER, 
	changes INTEGER NOT NULL, 
	PRIMARY KEY (seq), 
	UNIQUE (id)
);
INSERT INTO "operation" VALUES(1,'o1',1.79573515079106831547e+09,'ann','','edit','1 box put, 1 class set: K ö',NULL,2);
INSERT INTO "operation" VALUES(2,'o2',1.79573515082611680033e+09,'ann','','edit','1 picture''s state set: done',NULL,1);
INSERT INTO "operation" VALUES(3,'u1',1.79573515084609603882e+09,'ann','','undo','undone: 1 picture''s state set: done',2,1);
CREATE TABLE picture (
	id INTEGER NOT NULL, 
	path TEXT NOT NULL, 
	width INTEGER NOT NULL, 
	height INTEGER NOT NULL, 
	label TEXT, 
	state TEXT NOT NULL, 
	side INTEGER NOT NULL, 
	grp TEXT NOT NULL, 
	number INTEGER, 
	listed INTEGER NOT NULL, 
	ready INTEGER NOT NULL, 
	size INTEGER, 
	mtime INTEGER, 
	digest TEXT, 
	missing INTEGER NOT NULL, 
	changed INTEGER NOT NULL, 
	trouble TEXT NOT NULL, 
	place INTEGER NOT NULL, 
	rev INTEGER NOT NULL, 
	removed INTEGER NOT NULL, 
	touched INTEGER NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (path)
);
INSERT INTO "picture" VALUES(1,'0.jpg',40,20,NULL,'todo',-1,'',NULL,0,1,1265,1795735150593010118,NULL,0,0,'',0,3,0,3);
INSERT INTO "picture" VALUES(2,'1.jpg',40,20,NULL,'todo',-1,'',NULL,0,1,1263,1795735150601979087,NULL,0,0,'',1,1,0,0);
CREATE TABLE proposal (
	id TEXT NOT NULL, 
	picture INTEGER NOT NULL, 
	run TEXT NOT NULL, 
	name TEXT NOT NULL, 
	x1 FLOAT NOT NULL, 
	y1 FLOAT NOT NULL, 
	x2 FLOAT NOT NULL, 
	y2 FLOAT NOT NULL, 
	mask TEXT, 
	source TEXT NOT NULL, 
	score FLOAT, 
	state TEXT NOT NULL, 
	box TEXT, 
	place INTEGER NOT NULL, 
	rev INTEGER NOT NULL, 
	removed INTEGER NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE undoing (
	seq INTEGER NOT NULL, 
	person TEXT NOT NULL, 
	undone INTEGER NOT NULL, 
	PRIMARY KEY (seq)
);
INSERT INTO "undoing" VALUES(1,'ann',0);
INSERT INTO "undoing" VALUES(2,'ann',1);
CREATE INDEX picture_state ON picture (state);
CREATE INDEX picture_label ON picture (label);
CREATE INDEX box_label ON box (removed, label);
CREATE INDEX box_picture ON box (picture);
CREATE INDEX proposal_picture ON proposal (picture);
CREATE INDEX proposal_state ON proposal (state, picture);
CREATE INDEX change_record ON change (kind, record);
CREATE INDEX change_picture ON change (picture);
CREATE INDEX undoing_person ON undoing (person, undone, seq);
COMMIT;
